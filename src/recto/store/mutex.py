"""Mutexes: one process at a time for one name.

A mutex is an exclusive hold (see `holds`) on a file that is there only while somebody holds or wants it: whoever lets
go deletes it first, and whoever was granted a hold on a deleted file asks again. It is not fair: of several who wait,
any may be next. It is not re-entrant: asking twice in one thread waits for oneself.

Whoever holds it may say in the same file what goes on, and those who wait read it. That is talk: nothing depends on it,
it is never brought to the disk, and a waiter hears what was said last, not all of it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from recto.problems import Cancelled, StoreError, problem
from recto.store.complaints import complaints
from recto.store.holds import EXCLUSIVE, hold
from recto.store.waiters import awaited, waiter

# The kernel can wait for a lock, but then nobody could cancel; so it is asked again and again. The first pause is
# short for those who wait for a rename. Then a waiter is late by a fortieth of what it has waited, which nobody sees,
# and by a tenth of a second at most. Waking and looking took 0.15 ms on a busy machine of two cores: fifty waiters
# take 7% of one of them.
_FIRST_PAUSE_SECONDS = 0.01
_PAUSE_PER_WAITED = 1 / 40
_LAST_PAUSE_SECONDS = 0.1

# What can be said at once: a page, which a reader mostly sees whole or not at all.
WORDS_BYTES_MAX = 4096

Words = Mapping[str, object]


class Turn:
    """The holder's side of a mutex. For the thread that holds it, while it does."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._longest = 0

    def say(self, words: Words) -> None:
        """Lets those who wait read this JSON object, in place of what was said before.

        ValueError where it is longer than a page. A disk that takes no word stops nothing.
        """
        text = json.dumps(words).encode()
        if len(text) > WORDS_BYTES_MAX:
            raise ValueError(f"{len(text)} bytes are too many for a mutex")
        self._longest = max(self._longest, len(text))
        # Waiting is all that suffers: whoever writes an answer to a full disk hears of it there.
        with suppress(OSError):
            os.pwrite(self._descriptor, text.ljust(self._longest), 0)

    def awaited(self) -> bool:
        """Whether somebody waits for this mutex, in any process; see `waiters`."""
        return awaited(self._path)


@contextmanager
def mutex(
    path: Path,
    wait_seconds: float,
    waiting: Callable[[], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    late: str = "store-wait",
    heard: Callable[[Words], None] | None = None,
    needless: Callable[[], bool] | None = None,
) -> Iterator[Turn | None]:
    """Holds the mutex of this path for the block.

    `waiting` is called once, before the first pause, `heard` with what the holder says; `cancelled` is asked before
    every pause. `needless` is asked before the first pause and when the holder has said something or is another one:
    when what the mutex was wanted for has been done by others, the block is entered with None and without the mutex,
    so that a crowd that waited for one thing does not queue to see it. Raises Cancelled, or StoreError with the code
    `late` after `wait_seconds`: the pauses are summed, so a clock that jumps changes nothing.
    """
    descriptor = _try(path)
    if descriptor is None:
        descriptor = _wait(path, wait_seconds, waiting, cancelled, late, heard, needless)
    if descriptor is None:
        yield None
        return
    try:
        yield Turn(path, descriptor)
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _wait(
    path: Path,
    wait_seconds: float,
    waiting: Callable[[], None] | None,
    cancelled: Callable[[], bool] | None,
    late: str,
    heard: Callable[[Words], None] | None,
    needless: Callable[[], bool] | None,
) -> int | None:
    waited, last = 0.0, _NOTHING
    with waiter(path) as show:
        while (descriptor := _try(path)) is None:
            if cancelled is not None and cancelled():
                raise Cancelled(problem("cancelled"))
            if waited >= wait_seconds:
                raise StoreError(problem(late, seconds=f"{wait_seconds:g}"))
            show()
            if waiting is not None:
                waiting()
                waiting = None
            said = _said(path)
            if said != last or last is _NOTHING:
                if heard is not None and (words := said.words) is not None:
                    heard(words)
                if needless is not None and needless():
                    return None
                last = said
            pause = min(max(waited * _PAUSE_PER_WAITED, _FIRST_PAUSE_SECONDS), _LAST_PAUSE_SECONDS)
            time.sleep(pause)
            waited += pause
    return descriptor


class _Said(Struct, frozen=True):
    """What stands in the file of a mutex. It differs when its holder has said something or is another one."""

    file: int = 0
    written_ns: int = 0
    text: bytes = b""

    @property
    def words(self) -> Words | None:
        """What was said, None where it is illegible: it is just being written, or nothing was said yet."""
        try:
            words = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return words if isinstance(words, dict) else None


_NOTHING = _Said()


def _said(path: Path) -> _Said:
    # Nothing is said where the mutex is just being let go of, or where a named pipe lies in its place.
    with complaints(path.parent), suppress(FileNotFoundError, BlockingIOError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            return _Said(status.st_ino, status.st_mtime_ns, os.read(descriptor, WORDS_BYTES_MAX))
        finally:
            os.close(descriptor)
    return _NOTHING


def _try(path: Path) -> int | None:
    with complaints(path.parent):
        while True:
            try:
                descriptor = hold(path, EXCLUSIVE, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                # Deleted by who let go of it, between our opening it and our hold; or the directory is gone.
                path.parent.mkdir(parents=True, exist_ok=True)
                continue
            if descriptor is not None and os.fstat(descriptor).st_size:
                # Said by a holder that was killed.
                os.ftruncate(descriptor, 0)
            return descriptor


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
