"""Who contained commands are: a plain user without rights, never root."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

# The last of the numbers that Debian gives to ordinary accounts: hardly anybody has it.
PLAIN = 59_999


# Others may list it and reach what is in it.
_OTHERS = stat.S_IROTH | stat.S_IXOTH


class Identity(Struct, frozen=True):
    """A user and group number as the command sees its own; `dropped` where we are root and become it."""

    number: int
    dropped: bool

    @classmethod
    def here(cls, plain: int = PLAIN) -> Identity:
        """Ourselves where we are a plain user, else the user `plain`."""
        return cls(plain if os.geteuid() == 0 else os.geteuid(), os.geteuid() == 0)

    def hand_over(self, paths: Iterable[Path], kept: Iterable[Path] = ()) -> None:
        """Makes what a command may write its own, which needs doing only where we are root; never what is `kept`.

        Of a directory that is its own already, only the entries right in it are looked at: what lies below was made by
        commands, or handed over with it.
        """
        if not self.dropped:
            return
        apart = {_same(path) for path in kept if path.is_dir()}
        for path in paths:
            own = os.lstat(path).st_uid == self.number
            self._give(path)
            if stat.S_ISDIR(os.lstat(path).st_mode):
                _each(path, self.number, apart, deep=not own)

    def show(self, paths: Iterable[Path]) -> None:
        """Makes what a command may read readable for its group, where only root may read it."""
        if not self.dropped:
            return
        for path in paths:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode) and mode & _OTHERS != _OTHERS:
                os.chown(path, -1, self.number)
                path.chmod(stat.S_IMODE(mode) | stat.S_IRGRP | stat.S_IXGRP)

    def _give(self, path: Path) -> None:
        os.chown(path, self.number, self.number, follow_symlinks=False)


def _same(path: Path) -> tuple[int, int]:
    """What tells a file from all others, whatever it is called."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _each(directory: Path, number: int, apart: Collection[tuple[int, int]], *, deep: bool) -> None:
    """Gives the entries of a directory away, through descriptors: no link can lead the walk elsewhere."""
    for _, directories, files, descriptor in os.fwalk(directory, follow_symlinks=False):
        for name in (*directories, *files):
            # Another process may remove what it made meanwhile.
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if (status.st_dev, status.st_ino) in apart:
                    # Nor is what lies in it walked through.
                    directories.remove(name)
                elif status.st_uid != number:
                    os.chown(name, number, number, dir_fd=descriptor, follow_symlinks=False)
        if not deep:
            return
