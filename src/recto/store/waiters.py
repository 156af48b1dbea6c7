"""Waiters: how the holder of a mutex sees that somebody waits for it.

Each waiter has a shared hold (see `holds`) on a file beside the mutex; the last of them to leave deletes that file. A
waiter that is killed is gone with its hold, and the empty file that it may leave goes with the next one or by pruning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recto.store.complaints import complaints
from recto.store.holds import EXCLUSIVE, SHARED, hold


def awaited(path: Path) -> bool:
    """Whether somebody waits for the mutex of this path at the moment of asking.

    Who has only just begun to wait may not be seen yet: it shows itself with its next look, a tenth of a second later.
    """
    sign = _beside(path)
    with complaints(path.parent):
        try:
            descriptor = hold(sign, EXCLUSIVE)
        except FileNotFoundError:
            return False
        if descriptor is None:
            return True
        # One who left while we looked could not delete it.
        sign.unlink(missing_ok=True)
        os.close(descriptor)
        return False


@contextmanager
def waiter(path: Path) -> Iterator[Callable[[], None]]:
    """What shows that one waits for the mutex of this path, from the first call until the block ends.

    To be called with each look: a hold that others forbade for a moment, such as one who just asked, is had the next
    time.
    """
    sign = _beside(path)
    held: list[int] = []

    def show() -> None:
        if not held:
            # Deleted by the last waiter between our opening it and our hold; or the directory is gone.
            with complaints(path.parent), suppress(FileNotFoundError):
                descriptor = hold(sign, SHARED, os.O_RDWR | os.O_CREAT)
                held.extend([] if descriptor is None else [descriptor])

    try:
        yield show
    finally:
        for descriptor in held:
            os.close(descriptor)
            _delete_unless_held(sign)


def _delete_unless_held(sign: Path) -> None:
    with complaints(sign.parent), suppress(FileNotFoundError):
        descriptor = hold(sign, EXCLUSIVE)
        if descriptor is not None:
            sign.unlink(missing_ok=True)
            os.close(descriptor)


def _beside(path: Path) -> Path:
    # No name of a mutex has this sign in it.
    return path.with_name(f"{path.name}@waiting")
