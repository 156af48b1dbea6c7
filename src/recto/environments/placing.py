"""Placing: what was found for one declaration, told to another that asks for the same on other lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from recto.declaration.model import Declaration
from recto.declaration.pep508 import canonical
from recto.problems import Edit, Fix, Problem, Source

# What is asked for, its file and its line: the same declaration may ask for one thing in several places.
Place = tuple[str, str, int | None]

# Not the name of any requirement.
_LOCK = "pylock.toml"


def places(declaration: Declaration) -> tuple[Place, ...]:
    """Where each requirement, each constraint and the project's lock stands."""
    return tuple(_places(declaration))


def _places(declaration: Declaration) -> Iterator[Place]:
    for kind, entries in (("", declaration.requirements), ("-c ", declaration.constraints)):
        for entry in entries:
            yield f"{kind}{canonical(entry.requirement)}", entry.source.file, entry.source.line
    if declaration.lock_source is not None:
        yield _LOCK, declaration.lock_source.file, declaration.lock_source.line


def placed(problems: Iterable[Problem], before: Iterable[Place], now: tuple[Place, ...]) -> tuple[Problem, ...]:
    """The problems with the places of `now` for those of `before`.

    A place that nobody knows is left out: no line is better than a wrong one. So is an edit that would have to go to
    another file, where the line may look otherwise.
    """
    before = tuple(before)
    if before == now:
        return tuple(problems)
    lines = _lines(before, now)
    return tuple(_placed(found, lines) for found in problems)


def _lines(before: tuple[Place, ...], now: tuple[Place, ...]) -> dict[Source, Source]:
    left: dict[str, list[Source]] = {}
    for asked, file, line in now:
        left.setdefault(asked, []).append(Source(file, line))
    found: dict[Source, Source] = {}
    for asked, file, line in before:
        there = left.get(asked)
        if there:
            # Asked for more often then than now: the last place stands for the rest.
            found.setdefault(Source(file, line), there.pop(0) if there[1:] else there[0])
    return found


def _placed(found: Problem, lines: Mapping[Source, Source]) -> Problem:
    return replace(
        found,
        source=None if found.source is None else lines.get(found.source),
        message=_reworded(found.message, lines),
        hint=_reworded(found.hint, lines),
        fix=None if found.fix is None else _moved(found.fix, lines),
    )


def _reworded(text: str, lines: Mapping[Source, Source]) -> str:
    """The text with its `FILE:LINE`s replaced, all at once: a new one may be the old one of another."""
    words = {str(old): str(new) for old, new in lines.items() if old.line is not None}
    if not words:
        return text
    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<![\w/.-])(?:{known})(?!\d)", lambda match: words[match[0]], text)


def _moved(fix: Fix, lines: Mapping[Source, Source]) -> Fix | None:
    edits: list[Edit] = []
    for edit in fix.edits:
        there = lines.get(Source(edit.file, edit.line))
        if there is None or there.file != edit.file or there.line is None:
            return None
        edits.append(replace(edit, line=there.line))
    return replace(fix, edits=tuple(edits))
