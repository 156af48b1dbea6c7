"""Eviction: the least recently used environments go until the store fits its budget and the volume its floor.

    clear    what dead processes left
    choose   one listing of `envs` and a look at each of its directories; no manifest is read
    evict    hold exclusively, without waiting, or leave alone as in use; rename into an area of the trash, where no
             lease can find it; delete; enter what that freed into the ledger

and again from `evict`, until there is room and no further. A lease waits for none of it: what it could wait for is held
for one chmod and one rename. Who needs the room waits for the deleting, which is what makes it.

"Least recently used" is by the stamps of the store's clock: after a clock was set back the order may be wrong, the rest
of this holds.

What nobody uses goes first: where there is too little room, the sweepers run before any environment is evicted, and
again after what evicted environments shared with nobody else. Where there is room they do not run, because wheels and
bytecode without an environment make the next build quick.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from recto.keys import EnvironmentKey
from recto.store.accounting import count
from recto.store.entries import Candidate, candidates
from recto.store.failpoints import Failpoint
from recto.store.holds import EXCLUSIVE, claim_directory, hold, hold_directory
from recto.store.layout import Layout
from recto.store.ledger import Ledger
from recto.store.trees import Deleted, delete

# Deletes what no environment links to any more, and says how many bytes that freed. It may run while builds do: what
# it must leave alone to be safe beside the installer is its own affair.
Sweeper = Callable[[], int]


class Pruned(Struct, frozen=True):
    """What a pruning did. `leftovers` of dead processes were cleared; `stuck` ones could not be deleted."""

    evicted: tuple[EnvironmentKey, ...]
    freed_bytes: int
    leftovers: int
    stuck: int


class Pruning:
    """One pass over the store; only one process at a time may be in one."""

    def __init__(self, layout: Layout, ledger: Ledger, sweepers: tuple[Sweeper, ...], failpoint: Failpoint) -> None:
        self._layout = layout
        self._ledger = ledger
        self._sweepers = sweepers
        self._failpoint = failpoint
        self._counted = False
        self._freed = 0

    def run(self, needed: int = 0, budget: int | None = None) -> Pruned:
        """Clears what the dead left, then evicts until `needed` bytes fit beside what is promised, or none can go."""
        leftovers, stuck, self._freed = clear(self._layout, self._ledger)
        evicted: tuple[EnvironmentKey, ...] = ()
        if self._short(needed, budget) > 0:
            with disposal(self._layout) as area:
                evicted = tuple(self._evict(area, needed, budget))
            # The ledger may be too high, see there. Most is gone by now, so that a count is quick.
            if not self._counted and self._short(needed, budget) > 0:
                self._count()
        return Pruned(evicted, self._freed, leftovers, stuck)

    def _evict(self, area: Path, needed: int, budget: int | None) -> list[EnvironmentKey]:
        evicted: list[EnvironmentKey] = []
        victims = iter(candidates(self._layout))
        while self._short(needed, budget) > 0:
            self._sweep()
            released, before = 0, len(evicted)
            while self._short(needed, budget) > released:
                victim = next(victims, None)
                if victim is None:
                    break
                deleted = evict(self._layout, victim, area, self._failpoint)
                if deleted is not None:
                    evicted.append(victim.key)
                    released += deleted.released_bytes
                    self._enter(deleted.freed_bytes)
                    self._failpoint("evict-counted")
            if len(evicted) == before:
                break
        return evicted

    def _sweep(self) -> None:
        for sweeper in self._sweepers:
            self._enter(sweeper())

    def _enter(self, freed: int) -> None:
        self._freed += freed
        if freed:
            self._ledger.enter(freed=freed)

    def _short(self, needed: int, budget: int | None) -> int:
        while (short := self._ledger.shortfall(needed, budget)) is None:
            self._count()
        return short

    def _count(self) -> None:
        self._counted = True
        mark = self._ledger.mark()
        while not self._ledger.settle(count(self._layout), mark):
            mark = self._ledger.mark()


@contextmanager
def disposal(layout: Layout) -> Iterator[Path]:
    """An area of the trash, to delete things in; until the block has ended it tells that not all may be entered."""
    area, descriptor = claim_directory(layout.trash, "area")
    try:
        yield area
    finally:
        # What could not be deleted must not hide why the block ended; the next pruning tries again and reports it.
        with suppress(OSError):
            area.rmdir()
        os.close(descriptor)


def evict(layout: Layout, victim: Candidate, area: Path, failpoint: Failpoint) -> Deleted | None:
    """Deletes the environment unless it is in use, gone, pinned, or was used since it was listed: then None."""
    try:
        descriptor = hold(layout.environment(victim.key), EXCLUSIVE, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    if descriptor is None:
        return None
    try:
        failpoint("evict-locked")
        if os.fstat(descriptor).st_mtime_ns != victim.last_used_ns or layout.pin(victim.key).exists():
            return None
        return discard(layout, victim.key, descriptor, area, failpoint)
    finally:
        os.close(descriptor)


def remove(layout: Layout, ledger: Ledger, key: EnvironmentKey, failpoint: Failpoint) -> int | None:
    """Deletes the environment, pinned or not, and says what that freed; None where it is in use.

    FileNotFoundError where there is none.
    """
    with disposal(layout) as area:
        descriptor = hold_directory(layout.environment(key), EXCLUSIVE)
        if descriptor is None:
            return None
        try:
            failpoint("evict-locked")
            layout.pin(key).unlink(missing_ok=True)
            freed = discard(layout, key, descriptor, area, failpoint).freed_bytes
            ledger.enter(freed=freed)
            failpoint("evict-counted")
            return freed
        finally:
            os.close(descriptor)


def discard(layout: Layout, key: EnvironmentKey, descriptor: int, area: Path, failpoint: Failpoint) -> Deleted:
    """Renames the environment, held exclusively by `descriptor`, into the area and deletes it there."""
    # A directory cannot be moved to another parent unless it is writable. A crash here is mended by the next lease.
    os.fchmod(descriptor, 0o755)
    failpoint("evict-writable")
    trashed = layout.environment(key).rename(area / str(key))
    failpoint("evict-renamed")
    deleted = delete(trashed)
    failpoint("evict-deleted")
    return deleted


def clear(layout: Layout, ledger: Ledger) -> tuple[int, int, int]:
    """Deletes what dead processes left: how many leftovers, how many that could not be deleted, and bytes freed."""
    cleared, stuck, freed = ledger.bury(), 0, 0
    for path in _leftovers(layout):
        try:
            deleted = _clear(path, ledger)
        except OSError:
            # Such as a file of another user. It must not stop the rest; the next pruning tries again.
            stuck += 1
            continue
        if deleted is not None:
            cleared += 1
            freed += deleted.freed_bytes
    return cleared, stuck, freed


def _leftovers(layout: Layout) -> Iterator[Path]:
    for directory in (layout.staging, layout.trash, layout.locks):
        yield from list(directory.iterdir())


def _clear(path: Path, ledger: Ledger) -> Deleted | None:
    try:
        descriptor = hold(path, EXCLUSIVE)
    except FileNotFoundError:
        return None
    if descriptor is None:
        return None
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            # An area: whoever made it may have died before its entry into the ledger. Before that witness is gone.
            ledger.forget()
            return delete(path)
        path.unlink(missing_ok=True)
        return Deleted()
    finally:
        os.close(descriptor)
