"""The files that a render leaves: found by what Quarto says, kept inside the project, moved or thrown away."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from msgspec import Struct

_CREATED = re.compile(r"^Output created: (.+?)\s*$", re.MULTILINE)

# What Quarto writes beside a document `NAME.qmd`: NAME and one of these.
_WRITTEN = frozenset({"_files", ".html", ".pdf", ".docx", ".tex", ".typ"})


def created(log: str, document: Path, project: Path) -> Path | None:
    """The output that Quarto names last, or None: also for one outside the project or that is no plain file.

    Both may be a cell's doing, and what is returned here is read by people with more rights than the cell.
    """
    names = _CREATED.findall(log)
    if not names:
        return None
    output = document.parent / names[-1]
    inside = output.resolve().is_relative_to(project.resolve())
    return output.parent.resolve() / output.name if inside and output.is_file() and not output.is_symlink() else None


def deliver(output: Path, document: Path, directory: Path | None) -> tuple[Path, ...]:
    """The output and its support files, the output first; moved to `directory` where one is given.

    In a website or a book the shared libraries (`site_libs`) are copied along: other pages need them too.
    """
    support = output.with_name(f"{output.stem}_files")
    shared = output.parent / "site_libs"
    if directory is None or directory.resolve() == output.parent.resolve():
        return (output, *_plain_files(support))
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    moved = _move(output, directory)
    if support.is_dir() and not support.is_symlink():
        _move(support, directory)
    if shared.is_dir() and not shared.is_symlink() and output.parent != document.parent.resolve():
        shutil.copytree(shared, directory / shared.name, symlinks=True, dirs_exist_ok=True)
    return (moved, *_plain_files(directory / support.name))


def throw_away(output: Path) -> None:
    """Removes an output that must not be shown, with its support files."""
    _remove(output)
    _remove(output.with_name(f"{output.stem}_files"))


class Beside(Struct, frozen=True):
    """What lay beside a document before a render, so that a failed one leaves nothing half done."""

    document: Path
    before: frozenset[str]

    @classmethod
    def look(cls, document: Path) -> Beside:
        """Notes the files that are there now."""
        return cls(document, frozenset(path.name for path in document.parent.iterdir()))

    def clear_transient(self) -> None:
        """Removes the notebook that Quarto runs in place of the document; a killed Quarto leaves it."""
        name = re.compile(re.escape(self.document.stem) + r"(_\d+)?\.quarto_ipynb(_\d+)?")
        for path in list(self.document.parent.iterdir()):
            if name.fullmatch(path.name):
                _remove(path)

    def clear_new(self) -> None:
        """Removes the outputs that were not there before."""
        for ending in _WRITTEN:
            name = self.document.stem + ending
            if name not in self.before and name != self.document.name:
                _remove(self.document.with_name(name))


def _plain_files(directory: Path) -> tuple[Path, ...]:
    if directory.is_symlink():
        return ()
    return tuple(sorted(path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()))


def _move(path: Path, directory: Path) -> Path:
    target = directory / path.name
    _remove(target)
    return Path(shutil.move(path, target))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
