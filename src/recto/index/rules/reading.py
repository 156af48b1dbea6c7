"""What the values of the rules' keys mean. Each reader raises ValueError with what was expected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from msgspec import Struct
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, is_normalized_name

from recto.index.advisories.level import Level, level_of
from recto.index.rules.versions import Ranges


class Levels(Struct, frozen=True):
    """From which level on vulnerabilities are blocked, and from which on warned of; None for never."""

    block: Level | None = None
    warn: Level | None = None


def read_ranges(value: object) -> Ranges:
    """A list of names, each with a range of versions or none; of a name given twice either range counts."""
    found: dict[str, tuple[str, ...]] = {}
    for text in _texts(value):
        try:
            asked = Requirement(text)
            # Versions in it are read when they are compared, and one with thousands of digits cannot be.
            asked.specifier.contains("1")
        except ValueError as error:
            raise ValueError(f"`{text[:60]}` is not the name of a package, alone or with a range") from error
        if asked.extras or asked.marker or asked.url:
            raise ValueError(f"`{text[:60]}` has more than a name and a range of versions")
        name = canonicalize_name(asked.name)
        found[name] = (*found.get(name, ()), str(asked.specifier))
    return {name: tuple(sorted(set(ranges))) for name, ranges in sorted(found.items())}


def read_names(value: object) -> frozenset[str]:
    """A list of names of packages, normalised."""
    names = {text: canonicalize_name(text) for text in _texts(value)}
    for text, name in names.items():
        if not is_normalized_name(name):
            raise ValueError(f"`{text[:60]}` is not the name of a package")
    return frozenset(names.values())


def read_switch(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise ValueError("it is `true` or `false`")
    return value


def read_days(value: object) -> float:
    """A number of days, parts of a day as well."""
    # A century; far more than a `timedelta` can take has no meaning either.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 36_525:
        raise ValueError("it is a number of days from 0 to 36525")
    return float(value)


def read_day(value: object) -> date:
    """A date, as TOML writes it or as a text of the same form."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise ValueError("it is a date, year first") from error
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("it is a date without a time, year first")
    if value == date.max:
        raise ValueError("no day follows it")
    return value


def read_bytes(value: object) -> int:
    """A number of bytes."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("it is a whole number of bytes")
    return value


def one_of(*words: str) -> Callable[[object], str]:
    """A reader of one of these words."""

    expected = " or ".join(f'`"{word}"`' for word in words)

    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"it is {expected}")
        return str(value)

    return read


def read_levels(value: object) -> Levels:
    """A table with `block` and `warn`, each a level or absent."""
    if not isinstance(value, dict) or not value or not value.keys() <= {"block", "warn"}:
        raise ValueError("it is a table with `block`, `warn` or both")
    levels = {key: level_of(word) for key, word in value.items()}
    for key, level in levels.items():
        if level is None or str(level) != value[key]:
            raise ValueError(f"`{key}` is one of {', '.join(f'`{level}`' for level in Level)}")
    return Levels(**levels)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("it is a list of texts")
    return value
