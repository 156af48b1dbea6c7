"""The three keys of a declaration, wherever a YAML or TOML table holds them, checked for their types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from recto.declaration.caps import LINE_CHARACTERS, LINES
from recto.declaration.entry import Entry
from recto.declaration.part import Part, joined, wrong
from recto.declaration.requirement import read_entry
from recto.declaration.showing import shown
from recto.problems import Problem, Source, problem

KEYS = ("dependencies", "requires-python", "as-of")


class Other(Struct, frozen=True):
    """A value that is neither text, list, table nor nothing: a number, a truth value, a time."""

    text: str


class Value(Struct, frozen=True):
    """A value of a YAML or TOML file and the line it stands on, None where that is not known."""

    raw: str | Sequence[Value] | Mapping[str, Value] | Other | None
    line: int | None


class Place(Struct, frozen=True):
    """Where a table stands: its file, its dotted name, and the file's lines for edits (none where it has none)."""

    file: str
    name: str
    lines: tuple[str, ...] = ()

    def source(self, value: Value) -> Source:
        """The place of a value in the table."""
        return Source(self.file, value.line)


def read_table(table: Value, place: Place, keys: tuple[str, ...] = KEYS) -> Part:
    """What the table asks for; a key that is not in `keys` is refused, since a misspelt one would ask for nothing."""
    if table.raw is None:
        return Part()
    if not isinstance(table.raw, Mapping):
        example = "python: {dependencies: [polars, duckdb]}"
        return wrong(
            _mistyped(table, place, "", "a table with the keys `dependencies`, `requires-python`, `as-of`", example)
        )
    unknown = (_unknown(key, table.raw[key], place, keys) for key in table.raw if key not in keys)
    parts = (_READERS[key](table.raw[key], place) for key in keys if key in table.raw)
    return joined((wrong(*unknown), *parts))


def _dependencies(value: Value, place: Place) -> Part:
    if value.raw is None:
        return Part()
    if isinstance(value.raw, (str, Mapping, Other)):
        example = "dependencies: [polars, duckdb]"
        return wrong(_mistyped(value, place, "dependencies", "a list of requirements", example))
    if len(value.raw) > LINES:
        size = f"{len(value.raw):,} entries"
        name = f"{place.name}.dependencies"
        return wrong(
            problem("declaration-too-large", source=place.source(value), file=name, size=size, most=f"{LINES:,}")
        )
    return joined(_dependency(item, place) for item in value.raw)


def _dependency(item: Value, place: Place) -> Part:
    if not isinstance(item.raw, str) or not item.raw.strip() or "\n" in item.raw.strip():
        example = 'dependencies: ["polars>=1"]'
        return wrong(_mistyped(item, place, "dependencies", "a list with one requirement in each entry", example))
    text = item.raw.strip()
    written = _line_with(text, item.line, place.lines)
    alone = bool(written) and re.sub(r"^-\s+|,$", "", written[0].strip()).strip().strip("\"'") == text
    return read_entry(Entry(text, place.source(item), written, alone, in_list=True))


def _line_with(text: str, line: int | None, lines: tuple[str, ...]) -> tuple[str, ...]:
    if line is None or line > len(lines) or lines[line - 1].count(text) != 1:
        return ()
    return (lines[line - 1],)


def _requires_python(value: Value, place: Place) -> Part:
    example = 'requires-python: ">=3.11"'
    try:
        if not isinstance(value.raw, str) or len(value.raw) > LINE_CHARACTERS:
            raise InvalidSpecifier
        specifier = SpecifierSet(value.raw)
    except InvalidSpecifier:
        return wrong(_mistyped(value, place, "requires-python", "a version range in quotes", example))
    return Part(requires_python=((specifier, place.source(value)),))


def _as_of(value: Value, place: Place) -> Part:
    try:
        if not isinstance(value.raw, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value.raw.strip(), re.ASCII):
            raise ValueError
        day = date.fromisoformat(value.raw.strip())
    except ValueError:
        return wrong(_mistyped(value, place, "as-of", "a date, year first", "as-of: 2026-01-31"))
    return Part(as_of=(day,))


_READERS = {"dependencies": _dependencies, "requires-python": _requires_python, "as-of": _as_of}


def _mistyped(value: Value, place: Place, key: str, expected: str, example: str) -> Problem:
    name = f"{place.name}.{key}" if key else place.name
    return problem(
        "declaration-type",
        source=place.source(value),
        key=name,
        expected=expected,
        suggestion=example,
        excerpt=_shown(value),
    )


def _unknown(key: str, value: Value, place: Place, keys: tuple[str, ...]) -> Problem:
    name = f"{place.name}.{shown(key, 60)}"
    return problem("declaration-key", source=place.source(value), key=name, keys=", ".join(f"`{key}`" for key in keys))


def _shown(value: Value) -> str:
    if isinstance(value.raw, str):
        return shown(value.raw)
    return shown(value.raw.text) if isinstance(value.raw, Other) else ""
