"""The files that a render leaves: found by what Quarto says, kept inside the project, delivered or thrown away.

Cells write where Quarto does. So an output is a plain file beneath the project, on a way without links, and of what
lies beside it only such files are delivered. They are copied: what a cell still holds open changes no copy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from msgspec import Struct

from recto.engines.base import OUTPUT_BYTES_MAX
from recto.engines.placing import place, taken, unreadable, unwritable
from recto.problems import Problem, problem
from recto.sandbox.beneath import Beneath, TooLarge, why
from recto.sandbox.copying import copied
from recto.sandbox.removing import removed

_CREATED = re.compile(r"^Output created: (.+?)\s*$", re.MULTILINE)

# What Quarto writes beside a document `NAME.qmd`: NAME and one of these.
_WRITTEN = frozenset({"_files", ".html", ".pdf", ".docx", ".tex", ".typ"})
# Beside one output. A page with all of Quarto's libraries has some hundred files, four directories deep.
_FILES_MAX = 20_000
_DEPTH_MAX = 32
_NAMES_MAX = 1_000_000


class Delivered(Struct, frozen=True):
    """The output and its support files, the output first, and what is to be said of what was left out."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...] = ()


def created(log: str, document: Path, project: Path) -> str | None:
    """The name within the project of the output that Quarto names last, or None: also for one outside the project.

    That is what a line says, which may be a cell's; what lies there is judged when it is delivered.
    """
    names = _CREATED.findall(log)
    if not names or "\0" in names[-1]:
        return None
    path = Path(os.path.normpath(document.parent / names[-1]))
    return path.relative_to(project).as_posix() if path.is_relative_to(project) and path != project else None


def deliver(output: str, document: Path, project: Path, directory: Path | None) -> Delivered:
    """The output and its support files; moved to `directory` where one is given. Raises EngineError.

    In a website or a book the shared libraries (`site_libs`) are copied along: other pages need them too.
    """
    with ExitStack() as stack:
        try:
            inside = stack.enter_context(Beneath(project))
            status = inside.status(output)
            # One with holes has few blocks, and one may keep blocks that it does not show.
            if max(status.st_size, status.st_blocks * 512) > OUTPUT_BYTES_MAX:
                raise TooLarge(OUTPUT_BYTES_MAX)
        except OSError as error:
            raise unreadable(output, error) from error
        parent = (project / output).parent
        support = _Beside.look(inside, _support(output))
        if directory is None or directory.resolve() == parent:
            return Delivered((project / output, *support.paths(project)), support.problems)
        into = stack.enter_context(place(directory, project))
        page = taken(inside, output, into, output.rsplit("/", 1)[-1])
        stack.callback(page.discard)
        try:
            removed(into, support.name.rsplit("/", 1)[-1])
            support.copy(inside, into)
            if parent != document.parent:
                _Beside.look(inside, _sibling(output, "site_libs")).copy(inside, into)
            path = page.publish()
        except OSError as error:
            raise unwritable(directory, error) from error
        for name in (output, support.name):
            removed(inside, name)
        return Delivered((path, *support.paths(into.directory, parent=False)), support.problems)


def throw_away(output: str, project: Path) -> None:
    """Removes an output that must not be shown, with its support files."""
    with Beneath(project) as inside:
        removed(inside, output)
        removed(inside, _support(output))


class Beside(Struct, frozen=True):
    """What lay beside a document before a render, so that a failed one leaves nothing half done."""

    document: Path
    project: Path
    before: frozenset[str]

    @classmethod
    def look(cls, document: Path, project: Path) -> Beside:
        """Notes the files that are there now."""
        return cls(document, project, frozenset(_names(document, project)))

    def clear_transient(self) -> None:
        """Removes the notebook that Quarto runs in place of the document; a killed Quarto leaves it."""
        name = re.compile(re.escape(self.document.stem) + r"(_\d+)?\.quarto_ipynb(_\d+)?")
        self._remove(one for one in _names(self.document, self.project) if name.fullmatch(one))

    def clear_new(self) -> None:
        """Removes the outputs that were not there before."""
        names = (self.document.stem + ending for ending in _WRITTEN)
        self._remove(name for name in names if name not in self.before and name != self.document.name)

    def _remove(self, names: Iterable[str]) -> None:
        with suppress(OSError), _directory(self.document, self.project) as directory:
            for name in names:
                removed(directory, name)


def _directory(document: Path, project: Path) -> Beneath:
    with Beneath(project) as inside:
        return inside.below(document.parent.relative_to(project).as_posix())


def _names(document: Path, project: Path) -> list[str]:
    """The names beside a document; none where a cell took the directory away."""
    try:
        with _directory(document, project) as directory, os.scandir(directory.descriptor) as entries:
            return [entry.name for entry, _ in zip(entries, range(_NAMES_MAX), strict=False)]
    except OSError:
        return []


class _Beside(Struct, frozen=True):
    """A directory that goes with an output, `name` within the project, and the plain files in it."""

    name: str
    files: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @classmethod
    def look(cls, inside: Beneath, name: str) -> _Beside:
        """What lies there now, nothing where there is no such directory; raises EngineError for more than allowed."""
        try:
            with inside.below(name) as directory:
                files, left_out = directory.files(_FILES_MAX, _DEPTH_MAX)
                if sum(_bytes(directory, file) for file in files) > OUTPUT_BYTES_MAX:
                    raise TooLarge(OUTPUT_BYTES_MAX)
        except FileNotFoundError:
            return cls(name)
        except TooLarge as error:
            raise unreadable(name, error) from error
        except OSError as error:
            return cls(name, problems=(problem("output-left-out", path=name, reason=why(error)),))
        found = tuple(
            problem("output-left-out", path=f"{name}/{file}", reason="it is no plain file of its own")
            for file in left_out[:1]
        )
        return cls(name, files, found)

    def paths(self, directory: Path, *, parent: bool = True) -> tuple[Path, ...]:
        """The files as they lie in the project, or without their `parent` in another directory."""
        name = self.name if parent else self.name.rsplit("/", 1)[-1]
        return tuple(directory / name / file for file in self.files)

    def copy(self, inside: Beneath, into: Beneath) -> None:
        """Copies the files; raises OSError where one is no plain file any more or cannot be written."""
        left, name = OUTPUT_BYTES_MAX, self.name.rsplit("/", 1)[-1]
        for file in self.files:
            target = f"{name}/{file}"
            into.below(target.rsplit("/", 1)[0], make=True).close()
            copy = copied(inside, f"{self.name}/{file}", into, target, left)
            try:
                left -= copy.bytes
                copy.publish()
            finally:
                copy.discard()


def _bytes(directory: Beneath, file: str) -> int:
    status = directory.status(file)
    return max(status.st_size, status.st_blocks * 512)


def _sibling(output: str, name: str) -> str:
    return (Path(output).parent / name).as_posix()


def _support(output: str) -> str:
    return _sibling(output, f"{Path(output).stem}_files")
