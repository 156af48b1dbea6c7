"""Where a project declares its packages, and the edit that adds one there.

An edit is made in memory and the declaration read again: it is offered only where that asks for what was asked before
and for the new packages, and for nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct
from packaging.requirements import Requirement

from recto.declaration import Declaration, canonical, declare
from recto.declaration.mending import Stale, mended
from recto.declaration.text import Unreadable, decode, lines_of
from recto.problems import DeclarationError, Edit, Fix, Source
from recto.render.project import Project

REQUIREMENTS = "requirements.txt"
LOCK = "pylock.toml"
PYPROJECT = "pyproject.toml"

_ITEM = re.compile(r"\s*-\s+")
_QUOTED = re.compile(r"(\s*)[\"']")
_LIST = re.compile(r"\[\s*(?P<quote>[\"']?)")


class Declaring(Struct, frozen=True):
    """One project and document, and what they declare."""

    project: Project
    document: str
    declaration: Declaration

    @property
    def file(self) -> str:
        """The file, relative to the project, that the next package belongs in."""
        if self.declaration.lock is not None:
            return LOCK
        if self._text(REQUIREMENTS) is not None:
            return REQUIREMENTS
        files = [one.source.file for one in self.declaration.requirements]
        # A new `requirements.txt` would stand in the place of what `pyproject.toml` asks for.
        return PYPROJECT if PYPROJECT in files else next(iter(files), REQUIREMENTS)

    @property
    def sentence(self) -> str:
        """How to declare a package, with the first `{}` in place of its name."""
        file = self.file
        if file == LOCK:
            return f"Add `{{}}` to what `{LOCK}` was made from, and lock again."
        if file == PYPROJECT:
            return f"Add `{{}}` to `dependencies` below `[project]` in `{PYPROJECT}`."
        if file == self.document:
            return f"Add `{{}}` to `python: dependencies` at the top of `{file}`."
        if file.endswith((".yml", ".yaml")):
            return f"Add `{{}}` to `python: dependencies` in `{file}`."
        return f"Add the line `{{}}` to `{file}`."

    def worded(self, requirement: str) -> str:
        """How to declare this package."""
        return self.sentence.replace("{}", requirement, 1)

    def lines(self, source: Source | None) -> list[str]:
        """The lines of a file of the project that a problem is placed in; none of what cannot be read."""
        return [] if source is None else lines_of(self._text(source.file) or "")

    def fix(self, requirements: tuple[str, ...]) -> Fix | None:
        """The edit that declares these packages, None where no change of one line would do it safely."""
        file = self.file
        text = self._text(file)
        if file == LOCK or (text is None and file != REQUIREMENTS):
            return None
        title = f"Add {' and '.join(requirements)} to {file}"
        for edits in self._candidates(file, lines_of(text or ""), requirements):
            if self._does(edits, text or "", requirements):
                return Fix(title, edits)
        return None

    def _candidates(self, file: str, lines: list[str], names: tuple[str, ...]) -> Iterator[tuple[Edit, ...]]:
        if file == REQUIREMENTS:
            last = len(lines) if not lines[-1] else len(lines) + 1
            yield tuple(Edit(file, last, None, name) for name in names)
        places = (one.source for one in self.declaration.requirements)
        first = next((place.line for place in places if place.file == file and place.line is not None), None)
        if first is None or first > len(lines):
            return
        line = lines[first - 1]
        if file == REQUIREMENTS:
            yield tuple(Edit(file, first, None, name) for name in names)
        elif file == PYPROJECT and (quoted := _QUOTED.match(line)):
            yield tuple(Edit(file, first, None, f'{quoted[1]}"{name}",') for name in names)
        elif file != PYPROJECT and (item := _ITEM.match(line)):
            yield tuple(Edit(file, first, None, f"{item[0]}{name}") for name in names)
        elif opening := _LIST.search(line):
            quote = opening["quote"]
            added = "".join(f"{quote}{name}{quote}, " for name in names)
            start = opening.start() + 1
            yield (Edit(file, first, line, f"{line[:start]}{added}{line[start:].lstrip()}"),)

    def _does(self, edits: tuple[Edit, ...], text: str, names: tuple[str, ...]) -> bool:
        """Whether the edits add these packages to the declaration and leave the rest of it as it is."""
        file = edits[0].file
        try:
            data = mended(text.encode(), edits)
            after = declare(lambda name: data if name == file else self.project.read(name), self.document)
        except (DeclarationError, Stale):
            return False
        before = self.declaration
        wanted = _asked(before) + Counter(canonical(Requirement(name)) for name in names)
        kept = (before.requires_python, before.as_of, len(before.constraints))
        return _asked(after) == wanted and kept == (after.requires_python, after.as_of, len(after.constraints))

    def _text(self, file: str) -> str | None:
        try:
            data = self.project.read(file)
            return None if data is None else decode(data)
        except (DeclarationError, Unreadable):
            return None


def from_place(lines: list[str], source: Source | None) -> list[str]:
    """The lines from the one that a problem is placed at; none where that is not known, or no such line is left."""
    number = None if source is None else source.line
    return lines[number - 1 :] if number is not None and number > 0 else []


def _asked(declaration: Declaration) -> Counter[str]:
    return Counter(canonical(one.requirement) for one in declaration.requirements)
