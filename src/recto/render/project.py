"""A project on disk: where it begins, and its files, read only beneath it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Self

from msgspec import Struct

from recto.problems import DeclarationError, Source, problem
from recto.sandbox.beneath import Beneath, NotPlain

# Any of these makes a directory the root of a project.
ROOT_FILES = ("requirements.txt", "_quarto.yml", "pylock.toml", "pyproject.toml")

# Larger than any cap of the declaration room, so that it words the refusal; what is read stays bounded.
_READ_MAX_BYTES = 32 * 1024 * 1024


class Project(Struct, frozen=True):
    """A directory with documents. `root` is absolute and holds no symbolic link."""

    root: Path

    @classmethod
    def around(cls, path: Path) -> Self:
        """The project of a document or directory: the nearest directory upwards with one of ROOT_FILES.

        The search ends at a directory that has `.git`, below the home directory, and where somebody else could have put
        the file: at a directory of another owner or one that everybody may write to. Where it finds nothing, the
        project is the directory of the document.
        """
        start = path.resolve()
        if not start.is_dir():
            start = start.parent
        home = Path.home()
        for directory in (start, *start.parents):
            if directory != start and (directory == home or not _same_hands(directory, start)):
                break
            if any((directory / name).is_file() for name in ROOT_FILES):
                return cls(directory)
            if (directory / ".git").exists():
                break
        return cls(start)

    def name_of(self, path: Path) -> str:
        """The path of a file as the project names it: relative, with `/`; its full path when it lies outside."""
        absolute = path.absolute()
        if absolute.is_relative_to(self.root):
            return absolute.relative_to(self.root).as_posix()
        return str(absolute)

    def read(self, name: str) -> bytes | None:
        """The bytes of a regular file of the project, at most 32 MB and one byte; None where there is none.

        A link is followed only to a place inside the project. Raises DeclarationError for one that leads out of it,
        and where the file may not be read.
        """
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            if not os.path.lexists(self.root / name):
                return None
            raise DeclarationError(
                problem("declaration-include", target=name, reason="it leads out of the project", source=Source(name))
            )
        try:
            # Early: it stands before everything else that a command does.
            with Beneath(self.root, early=True) as opened:
                return opened.head(path.relative_to(self.root).as_posix(), _READ_MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if isinstance(error, NotPlain) and error.errno != errno.EMLINK:
                return None
            raise DeclarationError(problem("permission-denied", path=name)) from error


def _same_hands(directory: Path, start: Path) -> bool:
    """Whether only those who write in `start` could have put a file into `directory`."""
    above, own = directory.stat(), start.stat()
    return above.st_uid == own.st_uid and not above.st_mode & stat.S_IWOTH
