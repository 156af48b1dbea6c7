"""A lock of the log, held for a moment by one process or thread of all."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EXCLUSIVE = fcntl.LOCK_EX
SHARED = fcntl.LOCK_SH

# To write a line takes some 50 µs, and the first pauses are as short. The last is a part of one's patience: short
# enough to get one's turn among many, long enough not to use up a processor where the holder was stopped.
_FIRST_PAUSE_SECONDS = 0.000_05
_PAUSE_PER_PATIENCE = 1 / 400


@contextmanager
def held(path: Path, operation: int, wait_seconds: float, flags: int = os.O_RDONLY | os.O_CREAT) -> Iterator[None]:
    """Holds the file of this path for the block; TimeoutError where others held it all the time, OSError as open(2).

    The file is opened each time and belongs to nobody between: a lock that a process keeps open is shared by its forks,
    and then keeps none of them out.
    """
    # Not to wait where a named pipe lies.
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        _take(descriptor, operation, wait_seconds)
        yield
    finally:
        # Before it is closed: a process that is just being forked has the descriptor, too.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _take(descriptor: int, operation: int, wait_seconds: float) -> None:
    waited, pause, last = 0.0, _FIRST_PAUSE_SECONDS, wait_seconds * _PAUSE_PER_PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if waited >= wait_seconds:
                raise TimeoutError(
                    errno.ETIMEDOUT, f"another process has held its lock for {wait_seconds:g} s"
                ) from None
        time.sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, last)
