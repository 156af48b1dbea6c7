"""Eviction: the least recently used environments go until the store fits its budget and the volume its floor.

An environment goes in this order: held exclusively, without waiting, or left alone as in use; renamed into the trash,
where no lease can find it; deleted. A lease never waits for any of it. "Least recently used" is by the stamps of the
store's clock: after a clock was set back the order may be wrong, the rest of this holds.

What nobody uses goes first: where there is too little room, the sweepers run before any environment is evicted, and
again after what evicted environments shared with nobody else. Where there is room they do not run, because wheels and
bytecode without an environment make the next build quick.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recto.keys import EnvironmentKey
from recto.store.accounting import Ledger, count
from recto.store.entries import Entry, entries
from recto.store.failpoints import Failpoint
from recto.store.holds import EXCLUSIVE, hold, hold_directory
from recto.store.layout import Layout
from recto.store.trees import Deleted, delete

# Deletes what no environment links to any more, and says how many bytes that freed. It may run while builds do: what
# it must leave alone to be safe beside the installer is its own affair.
Sweeper = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning did. `leftovers` of dead processes were cleared; `stuck` ones could not be deleted."""

    evicted: tuple[EnvironmentKey, ...]
    freed_bytes: int
    leftovers: int
    stuck: int


class Pruning:
    """One pass over the store; only one process at a time should be in one."""

    def __init__(
        self, layout: Layout, ledger: Ledger, sweepers: tuple[Sweeper, ...], failpoint: Failpoint, now: float
    ) -> None:
        self._layout = layout
        self._ledger = ledger
        self._sweepers = sweepers
        self._failpoint = failpoint
        self._now = now
        self._used = 0
        self._freed = 0

    def run(self, needed: int = 0, budget: int | None = None) -> Pruned:
        """Clears what the dead left, then evicts until `needed` bytes fit beside what is promised, or none can go."""
        leftovers, stuck, cleared = clear(self._layout)
        self._freed = cleared
        mark = self._ledger.mark()
        environments = list(entries(self._layout))
        self._used = count(self._layout, environments)
        evicted = self._evict(environments, needed, budget)
        self._ledger.count(max(self._used, 0), mark, self._now)
        return Pruned(tuple(evicted), self._freed, leftovers, stuck)

    def _evict(self, environments: list[Entry], needed: int, budget: int | None) -> list[EnvironmentKey]:
        candidates = iter(sorted((e for e in environments if not e.pinned), key=lambda e: (e.last_used, e.key)))
        evicted: list[EnvironmentKey] = []
        while self._ledger.shortfall(self._used, needed, budget) > 0:
            self._sweep()
            released, before = 0, len(evicted)
            while self._ledger.shortfall(self._used, needed, budget) > released:
                entry = next(candidates, None)
                if entry is None:
                    break
                deleted = evict(self._layout, entry, self._failpoint)
                if deleted is not None:
                    evicted.append(entry.key)
                    released += deleted.released_bytes
                    self._freed += deleted.freed_bytes
                    # Not what was freed: files that lost their other links since then were never in the count.
                    self._used -= entry.own_bytes
            if len(evicted) == before:
                break
        return evicted

    def _sweep(self) -> None:
        swept = sum(sweeper() for sweeper in self._sweepers)
        self._used -= swept
        self._freed += swept


def evict(layout: Layout, entry: Entry, failpoint: Failpoint) -> Deleted | None:
    """Deletes the environment unless it is in use, gone, pinned, or was used since `entry` was read: then None."""
    try:
        descriptor = hold(entry.path, EXCLUSIVE, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    if descriptor is None:
        return None
    try:
        failpoint("evict-locked")
        if os.fstat(descriptor).st_mtime != entry.last_used or layout.pin(entry.key).exists():
            return None
        return discard(layout, entry.key, descriptor, failpoint)
    finally:
        os.close(descriptor)


def remove(layout: Layout, key: EnvironmentKey, failpoint: Failpoint) -> Deleted | None:
    """Deletes the environment, pinned or not, unless it is in use: then None; FileNotFoundError where there is none."""
    descriptor = hold_directory(layout.environment(key), EXCLUSIVE)
    if descriptor is None:
        return None
    try:
        failpoint("evict-locked")
        layout.pin(key).unlink(missing_ok=True)
        return discard(layout, key, descriptor, failpoint)
    finally:
        os.close(descriptor)


def discard(layout: Layout, key: EnvironmentKey, descriptor: int, failpoint: Failpoint) -> Deleted:
    """Renames the environment, held exclusively by `descriptor`, into the trash and deletes it there."""
    # A directory cannot be moved to another parent unless it is writable. A crash here is mended by the next lease.
    os.fchmod(descriptor, 0o755)
    failpoint("evict-writable")
    name = f"{key}-{os.fstat(descriptor).st_ino}"
    trashed = layout.environment(key).rename(layout.trash / name)
    failpoint("evict-renamed")
    deleted = delete(trashed)
    failpoint("evict-deleted")
    return deleted


def clear(layout: Layout) -> tuple[int, int, int]:
    """Deletes what dead processes left: how many leftovers, how many that could not be deleted, and bytes freed."""
    cleared = stuck = freed = 0
    for path in _leftovers(layout):
        try:
            deleted = _clear(path)
        except OSError:
            # Such as a file of another user. It must not stop the rest; the next pruning tries again.
            stuck += 1
            continue
        if deleted is not None:
            cleared += 1
            freed += deleted.freed_bytes
    return cleared, stuck, freed


def _leftovers(layout: Layout) -> Iterator[Path]:
    for directory in (layout.staging, layout.trash, layout.reservations, layout.locks):
        yield from list(directory.iterdir())


def _clear(path: Path) -> Deleted | None:
    try:
        descriptor = hold(path, EXCLUSIVE)
    except FileNotFoundError:
        return None
    if descriptor is None:
        return None
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return delete(path)
        path.unlink(missing_ok=True)
        return Deleted()
    finally:
        os.close(descriptor)
