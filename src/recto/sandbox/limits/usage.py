"""The bytes that trees take on their disk, counted without trusting who wrote them."""

from __future__ import annotations

import errno
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

# What each entry counts at least: files without content fill a disk too, with their inodes.
_ENTRY_BYTES = 512
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Usage:
    """The bytes that trees use, counted step by step; `closed` are the directories that cannot be read."""

    def __init__(self) -> None:
        self.bytes = 0
        self.closed: set[tuple[int, int]] = set()
        # All of them, since a file that is moved meanwhile would be met twice.
        self._seen: defaultdict[int, set[int]] = defaultdict(set)

    def of(self, paths: Sequence[Path]) -> Iterator[None]:
        """Counts these paths, a little with each step. What vanishes meanwhile is not counted."""
        for path in paths:
            with suppress(FileNotFoundError):
                found = path.lstat()
                self._add(found)
                if stat.S_ISDIR(found.st_mode):
                    yield from self._tree(path)

    def count_deleted(self, processes: Iterable[int]) -> None:
        """Adds the files without a name that these processes hold open, on the devices that were counted."""
        for process in processes:
            # It may end meanwhile, or be another user's.
            with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                for opened in Path(f"/proc/{process}/fd").iterdir():
                    with suppress(FileNotFoundError, ProcessLookupError):
                        found = opened.stat()
                        if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 and found.st_dev in self._seen:
                            self._add(found)

    def _tree(self, path: Path) -> Iterator[None]:
        """One directory is open at a time, however deep the tree; the way up is checked, as the way down is."""
        here = self._opened(str(path))
        if here is None:
            return
        try:
            above: list[tuple[os.stat_result, list[str]]] = []
            pending: list[str] = []
            yield from self._list(here, pending)
            while pending or above:
                if pending:
                    below = self._below(here, pending.pop())
                    if below is None:
                        continue
                    above.append((os.fstat(here), pending))
                    os.close(here)
                    here, pending = below, []
                    yield from self._list(here, pending)
                else:
                    expected, pending = above.pop()
                    up = self._above(here, expected)
                    if up is None:
                        return
                    os.close(here)
                    here = up
        finally:
            os.close(here)

    def _list(self, directory: int, pending: list[str]) -> Iterator[None]:
        """Counts the entries of a directory; its subdirectories are pending."""
        with os.scandir(directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except PermissionError:
                        self._close(os.fstat(directory))
                        return
                    self._add(found)
                    if stat.S_ISDIR(found.st_mode):
                        pending.append(entry.name)
                yield

    def _below(self, directory: int, name: str) -> int | None:
        """A subdirectory, opened; None where there is none on this device any more, or it is closed to us."""
        below = self._opened(name, directory)
        if below is not None and os.fstat(below).st_dev != os.fstat(directory).st_dev:
            os.close(below)
            return None
        return below

    def _above(self, directory: int, expected: os.stat_result) -> int | None:
        """The directory that this one was reached from; None where it was moved or removed while we were in it.

        What was counted counts then, and the next look sees the rest.
        """
        up = self._opened("..", directory)
        if up is not None and not os.path.samestat(os.fstat(up), expected):
            os.close(up)
            return None
        return up

    def _opened(self, name: str, directory: int | None = None) -> int | None:
        """A descriptor of a directory; None where it is none any more, or is closed to us."""
        try:
            return os.open(name, _DIRECTORY, dir_fd=directory)
        except PermissionError:
            self._note_closed(name, directory)
            return None
        except OSError as error:
            # Removed, or made something else: a link (ELOOP), a file.
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise

    def _note_closed(self, name: str, directory: int | None) -> None:
        try:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return
        except PermissionError:
            if directory is None:
                raise
            # Not even the way to it can be searched.
            found = os.fstat(directory)
        self._close(found)

    def _close(self, found: os.stat_result) -> None:
        self.closed.add((found.st_dev, found.st_ino))

    def _add(self, found: os.stat_result) -> None:
        seen = self._seen[found.st_dev]
        if found.st_ino not in seen:
            seen.add(found.st_ino)
            self.bytes += max(found.st_blocks * 512, _ENTRY_BYTES)
