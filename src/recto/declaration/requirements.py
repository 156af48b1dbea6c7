"""Requirements files: the lines of one, and of those it includes.

The grammar is pip's less its dangers: PEP 508 requirements with `--hash`, comments, `\\` continuation, and `-r` or
`-c` inside the project. Everything that a constraints file includes is a constraint too, so that it never installs
anything. A file that is included twice in the same role counts once.
"""

from __future__ import annotations

import re

from msgspec import Struct, field
from msgspec.structs import replace

from recto.declaration.caps import FILE_BYTES, INCLUDE_DEPTH, INCLUDED_FILES, LINE_CHARACTERS, LINES
from recto.declaration.entry import Entry
from recto.declaration.part import Part, joined, wrong
from recto.declaration.paths import OutsideProject, within
from recto.declaration.reading import Reader, text_of
from recto.declaration.requirement import read_entry
from recto.declaration.showing import shown
from recto.declaration.text import LogicalLine, lines_of, logical_lines
from recto.problems import Fix, Problem, Source, problem

_INCLUDE = re.compile(r"(?:(-r|-c)[\s=]*|(--requirement|--constraint)(?:=|\s+))(\S.*)")


class _File(Struct, frozen=True):
    """A file that is being read: the files that led to it, outermost first, and whether it holds constraints."""

    name: str
    constraint: bool = False
    above: tuple[str, ...] = ()


class _Walk(Struct):
    """One walk through a file and what it includes."""

    read: Reader
    seen: set[tuple[str, bool]] = field(default_factory=set)

    def file(self, file: _File, data: bytes) -> Part:
        self.seen.add((file.name, file.constraint))
        text = text_of(file.name, data, FILE_BYTES)
        here = Part(sources=(file.name,))
        if isinstance(text, Problem):
            return joined((here, wrong(text)))
        lines = lines_of(text)
        problems = tuple(_oversize(file.name, lines))
        if problems:
            return joined((here, wrong(*problems)))
        return _unmixed(file.name, joined((here, *(self.line(file, line) for line in logical_lines(lines)))))

    def line(self, file: _File, line: LogicalLine) -> Part:
        entry = Entry(line.text, Source(file.name, line.number), line.written)
        include = _INCLUDE.fullmatch(line.text) if len(line.text) <= LINE_CHARACTERS else None
        if include and "${" not in line.text:
            constraint = file.constraint or (include[1] or include[2]) in ("-c", "--constraint")
            return _several(entry) or self.include(file, entry, include[3].strip("\"'"), constraint)
        return read_entry(entry, file.constraint)

    def include(self, file: _File, entry: Entry, target: str, constraint: bool) -> Part:
        try:
            name = within(target, file.name)
        except OutsideProject as reason:
            return _not_included(entry, target, str(reason))
        if name in (*file.above, file.name):
            fix = entry.delete() if name == file.name else None
            return _not_included(entry, target, "the files include each other in a circle", fix)
        if (name, constraint) in self.seen:
            return Part()
        if len(file.above) >= INCLUDE_DEPTH:
            return _not_included(entry, target, f"it is more than {INCLUDE_DEPTH} levels deep")
        # The file that the walk began with is not an included one.
        if len(self.seen) > INCLUDED_FILES:
            return _not_included(entry, target, f"more than {INCLUDED_FILES} files are included")
        data = self.read(name)
        if data is None:
            return _not_included(entry, target, "the project has no such file")
        return self.file(_File(name, constraint, (*file.above, file.name)), data)


def read_requirements(read: Reader, file: str, data: bytes) -> Part:
    """What a requirements file and the files it includes ask for."""
    return _Walk(read).file(_File(file), data)


def _unmixed(file: str, part: Part) -> Part:
    """The part without edits of the file where the sides of a merge cannot be told apart by an edit.

    An edit of one of its lines would take away by which marker the author knows the sides.
    """
    own = [found for found in part.problems if found.source and found.source.file == file]
    if not any(found.code == "merge-conflict" and found.fix is None for found in own):
        return part
    return replace(part, problems=tuple(replace(one, fix=None) if one in own else one for one in part.problems))


def _several(entry: Entry) -> Part | None:
    pieces = re.split(r"\s+(?=--?[A-Za-z])", entry.text)
    if len(pieces) == 1:
        return None
    fix = entry.rewrite("Write one include a line", *pieces) if all(map(_INCLUDE.fullmatch, pieces)) else None
    return _not_included(entry, entry.text, "there is more than one option on the line", fix)


def _oversize(file: str, lines: list[str]) -> list[Problem]:
    if len(lines) > LINES + 1:
        return [_too_large(Source(file), file, f"{len(lines):,} lines", f"{LINES:,}")]
    return [
        _too_large(
            Source(file, number), f"line {number:,} of {file}", f"{len(line):,} characters", f"{LINE_CHARACTERS:,}"
        )
        for number, line in enumerate(lines, 1)
        if len(line) > LINE_CHARACTERS
    ]


def _too_large(source: Source, name: str, size: str, most: str) -> Problem:
    return problem("declaration-too-large", source=source, file=name, size=size, most=most)


def _not_included(entry: Entry, target: str, reason: str, fix: Fix | None = None) -> Part:
    return wrong(entry.refused("declaration-include", fix, target=shown(target, 80), reason=reason))
