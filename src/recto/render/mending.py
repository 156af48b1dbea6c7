"""The fixes of problems, carried out on the files of a project."""

from __future__ import annotations

import difflib
import os
import stat
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from recto.caching import replace_whole
from recto.declaration.mending import Stale, compatible, mended
from recto.declaration.text import Unreadable, decode, lines_with_ends
from recto.problems import DeclarationError, Edit, EngineError, Fix, Problem, full_disk, problem
from recto.render.project import Project


class Change(Struct, frozen=True):
    """One file and what it is to hold; `before` None is a file that is not there yet."""

    file: str
    before: bytes | None
    after: bytes

    @property
    def diff(self) -> str:
        """The unified diff, for people."""
        before, after = ([text + "\n" for text in _lines(data)] for data in (self.before or b"", self.after))
        return "".join(difflib.unified_diff(before, after, self.file, self.file))


class Mending(Struct, frozen=True):
    """What the fixes of some problems come to."""

    fixes: tuple[Fix, ...] = ()
    changes: tuple[Change, ...] = ()


def planned(project: Project, problems: Iterable[Problem]) -> Mending:
    """The changes that mend as many of the problems as can be mended at once; nothing is written.

    A fix is left out whole where one of its files is outside the project, no text, or not as the fix says it is, and
    where an earlier one changes the same line: after that one, the next look may offer it again.
    """
    before: dict[str, bytes | None] = {}
    chosen: list[Fix] = []
    for fix in dict.fromkeys(found.fix for found in problems if found.fix is not None):
        if compatible(fix, chosen) and _fits(project, fix, before):
            chosen.append(fix)
    edits: dict[str, list[Edit]] = defaultdict(list)
    for edit in (edit for fix in chosen for edit in fix.edits):
        edits[edit.file].append(edit)
    changes = (Change(file, before[file], mended(before[file], found)) for file, found in edits.items())
    return Mending(tuple(chosen), tuple(change for change in changes if change.after != change.before))


def _fits(project: Project, fix: Fix, before: dict[str, bytes | None]) -> bool:
    """Whether the fix can be made by itself; `before` gets the files that it is about."""
    try:
        for file in {edit.file for edit in fix.edits}:
            if file not in before:
                before[file] = _read(project, file)
            mended(before[file], [edit for edit in fix.edits if edit.file == file])
    except (DeclarationError, Stale, Unreadable):
        return False
    return True


def carry_out(project: Project, mending: Mending) -> None:
    """Writes the files: each whole or not at all, where it still is what it was.

    Raises EngineError for a file that changed meanwhile or cannot be written; files before it are written then.
    """
    for change in mending.changes:
        if _read(project, change.file) != change.before:
            raise EngineError(problem("mending-stale", file=change.file))
        try:
            # A link stays a link to it.
            path = (project.root / change.file).resolve()
            replace_whole(path, change.after, _mode(path))
        except OSError as error:
            raise EngineError(full_disk(error) or problem("permission-denied", path=change.file)) from error


def _read(project: Project, file: str) -> bytes | None:
    """The bytes of a file that may be mended: one of the project, by its own name."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise DeclarationError(problem("permission-denied", path=file))
    return project.read(file)


def _mode(path: Path) -> int:
    """The mode of the file, or that of a new one."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _lines(data: bytes) -> list[str]:
    return [text for text, end in lines_with_ends(decode(data)) if text or end]
