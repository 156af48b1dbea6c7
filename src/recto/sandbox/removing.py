"""Removal of what strangers left: trees of any depth and any mode, without following a link.

A walk that goes down has a descriptor or a stack frame for each level, and whoever made the tree chose its depth. Here
each directory is first raised to the top of the tree by a rename, so that none ever lies deeper than one level. A
rename moves whatever has the name, follows nothing, and is refused for a place where something is mounted.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from recto.sandbox.beneath import Beneath, parts_of

# More than any project has: the work that somebody can make for us ends there.
ENTRIES_MAX = 5_000_000
# Names that are read before they are removed: of a directory that changes while it is read, some may not be seen.
_BATCH = 10_000
_HANDLE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def removed(directory: Beneath, name: str, entries_max: int = ENTRIES_MAX) -> bool:
    """Whether nothing of that name is left beneath the directory; what cannot be removed stays."""
    *parents, last = parts_of(name)
    try:
        with directory.below("/".join(parents)) as parent:
            return _removed(parent.descriptor, last, entries_max)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def discarded(directory: Path, entries_max: int = ENTRIES_MAX) -> bool:
    """Whether a directory of our own is gone, with what strangers left in it; the caller vouches for the way to it."""
    try:
        with Beneath(directory.parent.resolve()) as parent:
            return removed(parent, directory.name, entries_max)
    except OSError:
        return False


def emptied(descriptor: int, entries_max: int = ENTRIES_MAX) -> None:
    """Removes what can be removed beneath an open directory of our own."""
    _Emptying(descriptor, entries_max).empty()


def _removed(parent: int, name: str, entries_max: int) -> bool:
    try:
        os.unlink(name, dir_fd=parent)
    except (IsADirectoryError, PermissionError):
        top = _owned(parent, name)
        try:
            emptied(top, entries_max)
        finally:
            os.close(top)
        os.rmdir(name, dir_fd=parent)
    return True


class _Emptying:
    """One tree on its way out, with the descriptor of its top directory."""

    def __init__(self, top: int, entries_max: int) -> None:
        self._top = top
        self._volume = os.fstat(top).st_dev
        self._left = entries_max
        self._prefix = f".recto-{os.urandom(8).hex()}-"
        self._count = 0
        self._raised: list[str] = []

    def empty(self) -> None:
        """Removes all that can be removed."""
        while self._clear(self._top) or self._raised:
            while self._raised:
                self._remove(self._raised.pop())

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            inner = _owned(self._top, name)
            try:
                while os.fstat(inner).st_dev == self._volume and self._clear(inner):
                    pass
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=self._top)

    def _clear(self, directory: int) -> bool:
        """Whether anything is gone from the directory, of which a part was looked at."""
        with os.scandir(directory) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_BATCH), strict=False)]
        gone = False
        for name in names:
            self._left -= 1
            if self._left < 0:
                return False
            if directory != self._top or not name.startswith(self._prefix):
                gone = self._take(directory, name) or gone
        return gone

    def _take(self, directory: int, name: str) -> bool:
        try:
            os.unlink(name, dir_fd=directory)
        except (IsADirectoryError, PermissionError):
            return self._raise(directory, name)
        except OSError:
            return False
        return True

    def _raise(self, directory: int, name: str) -> bool:
        self._count += 1
        new = f"{self._prefix}{self._count}"
        try:
            try:
                os.rename(name, new, src_dir_fd=directory, dst_dir_fd=self._top)
            except PermissionError:
                # Whoever moves a directory must be allowed to write in it: its `..` changes.
                os.close(_owned(directory, name))
                os.rename(name, new, src_dir_fd=directory, dst_dir_fd=self._top)
        except OSError:
            return False
        self._raised.append(new)
        return True


def _owned(parent: int, name: str) -> int:
    """The descriptor of a directory in which its owner may do everything from now on; OSError for a link."""
    handle = os.open(name, _HANDLE, dir_fd=parent)
    try:
        if os.fstat(handle).st_mode & stat.S_IRWXU != stat.S_IRWXU:
            # No call takes such a handle for that; this path leads to what it holds and to nothing else.
            with suppress(OSError):
                Path(f"/proc/self/fd/{handle}").chmod(0o700)
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=handle)
    finally:
        os.close(handle)
