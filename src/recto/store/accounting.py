"""Accounting: how many bytes the store may use, uses, and has promised.

The *ledger* is a running count that is never below the truth: publishing adds all bytes of an environment, shared ones
too, and only a count of the store lowers it. So a request for room is mostly answered from one small file, and a
refusal always follows a count. (A process that dies between its rename and its entry makes the ledger too low by that
environment until the next count.)

A *reservation* is a promise of bytes to a build that has not written them yet. It is a held file whose name says how
many, so that it vanishes with its process. While the build writes, its bytes count twice against the free-space floor:
the error is on the safe side and ends with the build.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from recto.store.complaints import complaints
from recto.store.entries import Entry, keys
from recto.store.holds import EXCLUSIVE, claim_file, hold
from recto.store.layout import Layout
from recto.store.mutex import mutex
from recto.store.records import Record, read_record, write_record
from recto.store.trees import measure

# The ledger's mutex is held for the reading of one directory and the writing of one file.
_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How much disk the store may take."""

    budget_bytes: int = 20_000_000_000
    """Allocated bytes of everything below `DATA/v1`; 20 GB hold some 60 distinct scientific stacks with bytecode."""

    free_floor_bytes: int = 1_000_000_000
    """Bytes that stay free on the volume for everybody else; 1 GB is what logs and uploads of a small server need."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Allocated bytes by bucket, each file with several links counted in the first bucket that has it."""

    environments: int
    buckets: Mapping[str, int]
    budget_bytes: int
    free_bytes: int

    @property
    def total_bytes(self) -> int:
        """All buckets together."""
        return sum(self.buckets.values())


class Ledger:
    """The running count and the reservations of one store; see the module."""

    def __init__(self, layout: Layout, options: Options) -> None:
        self._layout = layout
        self._options = options

    def publish(self, amount: int, now: float) -> None:
        """Adds the bytes of a published environment."""
        with self._held():
            counted, published, mark = self._read()
            self._write(counted, published + amount, mark, now)

    def mark(self) -> int:
        """Where a count begins: what is published from here on is added to what it finds."""
        return self._read()[1]

    def count(self, amount: int, mark: int, now: float) -> None:
        """Sets the ledger to a count of the store that began at `mark`."""
        with self._held():
            # The ledger may have been lost since the count began; what was published then is in the count or at worst
            # missing until the next one, but the sum must not go below what was counted.
            self._write(amount, max(self._read()[1], mark), mark, now)

    def promise(self, needed: int) -> tuple[Path, int] | None:
        """A reservation, to be ended with `withdraw`; None where there is no room, or none that is known."""
        with self._held(), complaints(self._layout.reservations):
            counted, published, mark = self._read()
            if counted is None or self.shortfall(counted + published - mark, needed) > 0:
                return None
            return claim_file(self._layout.reservations, str(needed))

    def withdraw(self, promise: tuple[Path, int]) -> None:
        """Ends a reservation."""
        path, descriptor = promise
        path.unlink(missing_ok=True)
        os.close(descriptor)

    def promised(self) -> int:
        """Bytes promised to living processes."""
        return sum(_promised(path) for path in self._layout.reservations.iterdir())

    def shortfall(self, used: int, needed: int, budget: int | None = None) -> int:
        """How many bytes must go before `needed` more fit, beside what is promised; 0 or less where they fit."""
        wanted = self.promised() + needed
        allowed = self._options.budget_bytes if budget is None else budget
        return max(used + wanted - allowed, self._options.free_floor_bytes + wanted - free_bytes(self._layout))

    def _held(self) -> AbstractContextManager[object]:
        return mutex(self._layout.locks / ".ledger", _WAIT_SECONDS, late="store-busy")

    def _read(self) -> tuple[int | None, int, int]:
        match read_record(self._layout.ledger):
            case Record({"counted": int() | None as counted, "published": int() as published, "mark": int() as mark}):
                return counted, published, mark
        return None, 0, 0

    def _write(self, counted: int | None, published: int, mark: int, now: float) -> None:
        value = {"counted": counted, "published": published, "mark": mark}
        write_record(self._layout.ledger, value, now, self._layout.staging)


def count(layout: Layout, environments: list[Entry]) -> int:
    """Bytes of the store: environments as their manifests say, without what they share, and the rest measured.

    What environments share is counted where it is kept, in the cache and the bytecode.
    """
    kept = measure([layout.bytecode, layout.cache, layout.base])
    return sum(entry.own_bytes for entry in environments) + kept


def usage(layout: Layout, options: Options) -> Usage:
    """What is used, exactly: every file is looked at, so it takes seconds for a full store."""
    seen = set[tuple[int, int]]()
    sources = {
        "base": layout.base,
        "cache": layout.cache,
        "bytecode": layout.bytecode,
        "environments": layout.environments,
        "staging": layout.staging,
        "trash": layout.trash,
    }
    buckets = {name: measure([path], seen) for name, path in sources.items()}
    return Usage(len(keys(layout)), buckets, options.budget_bytes, free_bytes(layout))


def free_bytes(layout: Layout) -> int:
    """Bytes of the volume that this user may still take."""
    status = os.statvfs(layout.root)
    return status.f_bavail * status.f_frsize


def _promised(path: Path) -> int:
    try:
        descriptor = hold(path, EXCLUSIVE)
    except FileNotFoundError:
        return 0
    if descriptor is not None:
        # Nobody holds it: its process died.
        path.unlink(missing_ok=True)
        os.close(descriptor)
        return 0
    return int(path.name.partition("-")[0])
