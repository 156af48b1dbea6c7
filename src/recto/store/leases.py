"""Leases: a shared hold on an environment while somebody uses it."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

from recto.keys import EnvironmentKey
from recto.store.complaints import complaints
from recto.store.holds import SHARED, hold_directory
from recto.store.records import Miss

SEALED = 0o555


class Lease:
    """A shared hold on the environment at `path`: while it lasts, the environment is whole and is not evicted.

    Not mutual exclusion: any number of leases may be out on one environment. The hold belongs to the descriptor
    `fileno()`: a child that is given it (`pass_fds`) keeps the environment after this process has closed the lease or
    died. A lease ends with `close()`, at the end of its `with` block, or with the last process that has the descriptor.

    Not guaranteed: that somebody with the rights to change the files by hand does not; see `holds` for file systems.
    """

    def __init__(self, key: EnvironmentKey, path: Path, descriptor: int) -> None:
        self.key = key
        self.path = path
        self._descriptor: int | None = descriptor

    def fileno(self) -> int:
        """The descriptor that holds the environment; ValueError once the lease is closed."""
        if self._descriptor is None:
            raise ValueError("the lease is closed")
        return self._descriptor

    def share(self) -> Lease:
        """Another lease on the same hold: the environment stays until both have ended."""
        with complaints(self.path):
            return Lease(self.key, self.path, os.dup(self.fileno()))

    def close(self) -> None:
        """Ends the lease, as far as this process is concerned; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._descriptor is not None:
            warnings.warn(f"a lease on {self.key} was never closed", ResourceWarning, stacklevel=2, source=self)
            self.close()


def take(key: EnvironmentKey, path: Path, now: float) -> Lease | Miss:
    """A lease on the environment at `path`, marked as used `now` (seconds since 1970), or a Miss.

    Six system calls: no directory is listed and no file is read, however many environments there are.
    """
    try:
        descriptor = hold_directory(path, SHARED)
    except FileNotFoundError:
        return Miss(f"there is no environment {key}")
    except NotADirectoryError:
        if not path.parent.is_dir():
            raise
        return Miss(f"what lies in the place of the environment {key} is none")
    if descriptor is None:
        return Miss(f"the environment {key} is being evicted")
    lease = Lease(key, path, descriptor)
    try:
        settle(descriptor, now)
    except BaseException:
        lease.close()
        raise
    return lease


def settle(descriptor: int, now: float) -> None:
    """Marks the held environment as used `now`, and its top directory as read-only if a crash left it writable."""
    if os.fstat(descriptor).st_mode & 0o222:
        os.fchmod(descriptor, SEALED)
    os.utime(descriptor, (now, now))
