"""Mutexes: one process at a time for one name.

A mutex is an exclusive hold (see `holds`) on a file that is there only while somebody holds or wants it: whoever lets
go deletes it first, and whoever was granted a hold on a deleted file asks again. It is not fair: of several who wait,
any may be next. It is not re-entrant: asking twice in one thread waits for oneself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recto.problems import Cancelled, StoreError, problem
from recto.store.complaints import complaints
from recto.store.holds import EXCLUSIVE, hold

# The kernel can wait for a lock, but then nobody could cancel; so it is asked again and again. The first pause is
# short for those who wait for a rename, the last is what a waiter of minutes may be late.
_FIRST_PAUSE_SECONDS = 0.01
_LAST_PAUSE_SECONDS = 0.2


@contextmanager
def mutex(
    path: Path,
    wait_seconds: float,
    waiting: Callable[[], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    late: str = "store-wait",
) -> Iterator[None]:
    """Holds the mutex of this path for the block.

    `waiting` is called once, before the first pause; `cancelled` is asked before every pause. Raises Cancelled, or
    StoreError with the code `late` after `wait_seconds`: the pauses are summed, so a clock that jumps changes nothing.
    """
    descriptor = _acquire(path, wait_seconds, waiting, cancelled, late)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(
    path: Path,
    wait_seconds: float,
    waiting: Callable[[], None] | None,
    cancelled: Callable[[], bool] | None,
    late: str,
) -> int:
    waited, pause = 0.0, _FIRST_PAUSE_SECONDS
    while (descriptor := _try(path)) is None:
        if cancelled is not None and cancelled():
            raise Cancelled(problem("cancelled"))
        if waited >= wait_seconds:
            raise StoreError(problem(late, seconds=f"{wait_seconds:g}"))
        if waiting is not None:
            waiting()
            waiting = None
        time.sleep(pause)
        waited += pause
        pause = min(2 * pause, _LAST_PAUSE_SECONDS)
    return descriptor


def _try(path: Path) -> int | None:
    with complaints(path.parent):
        while True:
            try:
                return hold(path, EXCLUSIVE, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                # Deleted by who let go of it, between our opening it and our hold; or the directory is gone.
                path.parent.mkdir(parents=True, exist_ok=True)


def held(path: Path) -> bool:
    """Whether somebody holds the mutex of this path at the moment of asking."""
    try:
        descriptor = hold(path, EXCLUSIVE, os.O_RDWR)
    except FileNotFoundError:
        return False
    if descriptor is None:
        return True
    os.close(descriptor)
    return False
