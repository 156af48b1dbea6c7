"""The writing side of the log."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol

from msgspec import Struct

from recto.index.audit.entry import Entry, line
from recto.index.audit.files import CURRENT, LOCK, Aside
from recto.index.audit.holds import EXCLUSIVE, held
from recto.index.audit.tidying import tidy
from recto.problems import StoreError, problem


class Options(Struct, frozen=True):
    """When the current file is put aside, at the latest with the day (UTC), and how long and much is kept of those.

    `wait_seconds` is how long an entry waits for another process, which may have been stopped while it wrote; whoever
    waits may be the only thread of a server.
    """

    file_bytes: int = 64_000_000
    days: float = 90.0
    kept_bytes: int = 2_000_000_000
    wait_seconds: float = 2.0


class Audit(Protocol):
    """Where answers of the gateway are recorded."""

    def record(self, entry: Entry) -> None:
        """Returns when the entry is written. StoreError (`audit-unwritable`): what it tells of may not be done.

        So it is called before the first byte is handed out.
        """
        ...

    def close(self) -> None:
        """Returns when nothing goes on in the background any more."""
        ...


class NoAudit:
    """Where the operator wants no log."""

    def record(self, entry: Entry) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class AuditLog:
    """The log in a directory, which is made with the first entry. For any number of threads and processes at once.

    No descriptor is kept: each entry opens the file of that name, so that nobody writes to one that was put aside,
    whoever did that, and nothing is shared by forks. On a busy machine that took some 20 µs of an entry, the lock 30.
    """

    def __init__(
        self,
        directory: Path,
        options: Options | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._directory = directory
        self._options = options or Options()
        self._clock = clock
        self._starting = Lock()
        self._tidying: Thread | None = None

    def record(self, entry: Entry) -> None:
        """As the port says. The call blocks for the time of one write, and two seconds if another process hangs."""
        data = line(entry)
        try:
            put_aside = self._append(data)
        except OSError as error:
            reason = error.strerror or str(error)
            path = self._directory / CURRENT
            raise StoreError(problem("audit-unwritable", path=path, reason=reason)) from error
        if put_aside:
            self._start_tidying()

    def close(self) -> None:
        """As the port says."""
        if self._tidying is not None:
            self._tidying.join()

    def _append(self, data: bytes) -> bool:
        """Whether a file was put aside for it."""
        lock = self._directory / LOCK
        try:
            with held(lock, EXCLUSIVE, self._options.wait_seconds):
                return self._append_alone(data)
        except FileNotFoundError:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with held(lock, EXCLUSIVE, self._options.wait_seconds):
            return self._append_alone(data)

    def _append_alone(self, data: bytes) -> bool:
        current = self._directory / CURRENT
        descriptor = _open(current)
        try:
            status = os.fstat(descriptor)
            if not self._is_over(status, len(data)):
                _write(descriptor, status.st_size, data)
                return False
        finally:
            os.close(descriptor)
        current.rename(Aside.next(self._directory, self._clock()).plain)
        descriptor = _open(current)
        try:
            _write(descriptor, 0, data)
        finally:
            os.close(descriptor)
        return True

    def _is_over(self, status: os.stat_result, more: int) -> bool:
        if status.st_size == 0:
            return False
        written = datetime.fromtimestamp(status.st_mtime, UTC).date()
        return status.st_size + more > self._options.file_bytes or written < self._clock().astimezone(UTC).date()

    def _start_tidying(self) -> None:
        # Whoever has it is about to start one. Not waited for: in a fork, nobody may be left who gives it back.
        if not self._starting.acquire(blocking=False):
            return
        try:
            # One that is at its end may have missed this file. The next one takes it.
            if self._tidying is None or not self._tidying.is_alive():
                # A daemon: the end of a process does not wait for it, and may come between any two of its steps.
                tidying = Thread(target=self._tidy, name="recto-audit", daemon=True)
                tidying.start()
                self._tidying = tidying
        except RuntimeError:
            # No thread can be had. The files stay as they are until the next time.
            pass
        finally:
            self._starting.release()

    def _tidy(self) -> None:
        # Nothing is lost by it: what was put aside is read as it is.
        with suppress(OSError):
            tidy(self._directory, self._options.days, self._options.kept_bytes, self._clock())


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file")
    return descriptor


def _write(descriptor: int, size: int, data: bytes) -> None:
    """Appends the line to a file of that size with one write(2), or leaves it as it was and raises OSError."""
    # Where a writer was killed inside its write(2), what it left is a line of its own.
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data
    try:
        # On a full disk the beginning may fit; the kernel says why not more when asked for the rest.
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        # For whoever holds the lock, nobody has written meanwhile.
        os.ftruncate(descriptor, size)
        raise
