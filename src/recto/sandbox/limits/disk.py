"""What a command adds to the paths that it may write, measured while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from recto.sandbox.base import Stop
from recto.sandbox.limits.usage import Usage

# A look is begun at most so often, and so seldom that it takes at most a tenth of the time.
_INTERVAL_SECONDS = 1.0
_SHARE = 10
# How long a look holds up the streams of the command at a time.
_SLICE_SECONDS = 0.05


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


def _outermost(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Those that lie below none of the others."""
    real = {path.resolve() for path in paths}
    return tuple(sorted(path for path in real if not real.intersection(path.parents)))
