"""What a command adds to the paths that it may write, measured while it runs."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from recto.sandbox.base import Stop

# A look is begun at most so often, and so seldom that it takes at most a tenth of the time.
_INTERVAL_SECONDS = 1.0
_SHARE = 10
# How long a look holds up the streams of the command at a time.
_SLICE_SECONDS = 0.05
# What each entry counts at least: files without content fill a disk too, with their inodes.
_ENTRY_BYTES = 512
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class DiskWatch:
    """Says when a command has to end because of what it wrote below `paths`.

    Counted are allocated bytes, so that a hole is nothing, and each inode once. Nothing is counted of other devices
    that are mounted below, and links are not followed. Between two looks more can be written, so `disk_bytes` is
    exceeded by what a second holds. What is deleted and still open counts where one of `processes` holds it; what is
    deleted and only mapped is seen by the floor alone. `disk_bytes` None looks at nothing but the floor:
    `free_bytes_min` on each volume.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        disk_bytes: int | None,
        free_bytes_min: int = 0,
        clock: Callable[[], float] = time.monotonic,
        processes: Callable[[], Iterable[int]] = tuple,
    ) -> None:
        self._paths = _outermost(paths)
        self._disk_bytes = disk_bytes
        self._free_bytes_min = free_bytes_min
        self._clock = clock
        self._processes = processes
        self._before = Usage()
        self._look: Usage | None = None
        self._steps: Iterator[None] = iter(())
        self._begun = clock()
        if disk_bytes is not None:
            for _ in self._before.of(self._paths):
                pass
        self._next = self._later()

    def watch(self) -> Stop | None:
        """Why the command has to end, if it has to; looks for a twentieth of a second at most."""
        if self._look is None:
            if self._clock() < self._next:
                return None
            if self._too_little_free():
                return "disk-full"
        look = self._look or self._begin()
        until = self._clock() + _SLICE_SECONDS
        for _ in self._steps:
            if self._over(look):
                return "disk-limit"
            if self._clock() >= until:
                return None
        look.count_deleted(self._processes())
        self._look = None
        self._next = self._later()
        return "disk-limit" if self._over(look) else None

    def last(self) -> Stop | None:
        """Whether the command exceeded its limit, once it has ended: looks to the end."""
        look = self._begin()
        exceeded = any(self._over(look) for _ in self._steps) or self._over(look)
        return "disk-limit" if exceeded else None

    def _begin(self) -> Usage:
        self._begun = self._clock()
        self._look = look = Usage()
        self._steps = look.of(self._paths) if self._disk_bytes is not None else iter(())
        return look

    def _later(self) -> float:
        now = self._clock()
        return now + max(_INTERVAL_SECONDS, (now - self._begun) * _SHARE)

    def _over(self, look: Usage) -> bool:
        if self._disk_bytes is None:
            return False
        # A directory that was closed to us meanwhile hides what is in it: then the limit cannot be kept.
        hidden = look.closed - self._before.closed
        return bool(hidden) or look.bytes - self._before.bytes > self._disk_bytes

    def _too_little_free(self) -> bool:
        for path in self._paths if self._free_bytes_min else ():
            with suppress(FileNotFoundError):
                volume = os.statvfs(path)
                if volume.f_bavail * volume.f_frsize < self._free_bytes_min:
                    return True
        return False


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


def _outermost(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Those that lie below none of the others."""
    real = {path.resolve() for path in paths}
    return tuple(sorted(path for path in real if not real.intersection(path.parents)))
