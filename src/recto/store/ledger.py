"""The ledger: how many bytes the store uses and has promised, known without looking at the store.

What is counted: allocated bytes of `base`, `cache`, `bytecode`, environments and trash, each file once however many
links it has. What builders write in staging is not; it is promised by reservations until it is published. Records,
pins and locks are not: they outlive environments, and no eviction gets them back.

Whoever changes the store enters it here *afterwards*: a publishing its environment's own bytes and the shared ones that
it was told are new, a deletion or a sweep what it freed. A process that dies between its deed and its entry leaves a
witness: a reservation or a staging area that nobody holds, or its area in the trash. Whoever meets one forgets the
ledger; so does a build that ends without publishing, because nobody knows what it brought into the cache. A ledger that
is missing, illegible or below nothing is a miss, and who needs to know then counts (see `accounting`). So:

- dead while building or publishing: too low, by that environment and what came into the cache with it, until the next
  request for room finds the reservation; publishing without one, until the next pruning finds the area;
- dead while evicting or sweeping: too high, by what was deleted, until the next pruning finds the trash;
- written and never told (by a hand, by a room that does not say): too low by it until an audit;
- deleted by hand: too high by it until an audit, or until the next count.

A *reservation* is a promise of bytes to a build that has not written them yet: a held file whose name says how many, so
that it vanishes with its process. What is read here and the promise made upon it are one step under one mutex, so that
no byte is promised twice. While the build writes, its bytes count twice against the free-space floor: the error is on
the safe side and ends with the build.
"""

from __future__ import annotations

import os
import secrets
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recto.problems import StoreError
from recto.store.complaints import complaints
from recto.store.holds import EXCLUSIVE, claim_file, hold
from recto.store.layout import Layout
from recto.store.mutex import mutex
from recto.store.records import read_object, replace_object

# The ledger's mutex is held for the reading of one small directory and the writing of one file.
_WAIT_SECONDS = 60.0


class Options(Struct, frozen=True):
    """How much disk the store may take."""

    budget_bytes: int = 20_000_000_000
    """Allocated bytes of everything below `DATA/v1`; 20 GB hold some 60 distinct scientific stacks with bytecode."""

    free_floor_bytes: int = 1_000_000_000
    """Bytes that stay free on the volume for everybody else; 1 GB is what logs and uploads of a small server need."""


class Balance(Struct, frozen=True):
    """What the ledger says: bytes used, None until they are counted, and what was entered since this ledger `began`.

    `began` tells one ledger from the next: what moved while a count went on is known only within one ledger.
    """

    used: int | None
    grown: int
    shrunk: int
    began: str


class Room(Struct, frozen=True):
    """Bytes used (None until the next count), promised to builds, allowed, and free on the volume."""

    used_bytes: int | None
    promised_bytes: int
    budget_bytes: int
    free_bytes: int


class Ledger:
    """The running count and the reservations of one store; see the module."""

    def __init__(self, layout: Layout, options: Options) -> None:
        self._layout = layout
        self._options = options

    def enter(self, added: int = 0, freed: int = 0) -> None:
        """Enters what came or went."""
        try:
            with self._held():
                balance = self._read() or _fresh()
                used = None if balance.used is None else balance.used + added - freed
                if used is not None and used < 0:
                    # More went than ever was told: what else is wrong nobody knows.
                    self._forget()
                    return
                self._write(replace(balance, used=used, grown=balance.grown + added, shrunk=balance.shrunk + freed))
        except StoreError:
            # The mutex could not be had. An old balance would go on to be believed; none is counted anew.
            self._forget()
            raise

    def forget(self) -> None:
        """Makes the ledger a miss: whoever needs it counts. Raises nothing because of the mutex."""
        try:
            with self._held():
                self._forget()
        except StoreError:
            # As in `enter`. Somebody who is just writing may bring back what was there.
            self._forget()

    def mark(self) -> Balance:
        """The balance where a count begins."""
        with self._held():
            balance = self._read()
            if balance is None:
                balance = _fresh()
                self._write(balance)
            return balance

    def settle(self, counted: int, mark: Balance) -> bool:
        """Sets the ledger to a count that began at `mark`; False where the ledger was lost meanwhile: count again.

        What was freed since then is not taken off, because the count may have missed it already: nothing but what is
        published while a count goes on can make the ledger too high.
        """
        with self._held():
            balance = self._read()
            if balance is None or balance.began != mark.began:
                return False
            self._write(replace(balance, used=counted + balance.grown - mark.grown))
            return True

    def mend(self, counted: int, mark: Balance) -> int | None:
        """Corrects the ledger by what a count that began at `mark` proves wrong: by how much, None where it was a miss.

        Things that come and go during the count may be in it or not. So it proves only that the ledger was too low by
        what exceeds the balance and all that came, and too high by what is missing from the balance less all that went.
        """
        with self._held():
            balance = self._read()
            if balance is None or balance.began != mark.began or balance.used is None or mark.used is None:
                return None
            most = mark.used + balance.grown - mark.grown
            least = mark.used - (balance.shrunk - mark.shrunk)
            wrong = max(counted - most, 0) + min(counted - least, 0)
            if wrong:
                self._write(replace(balance, used=balance.used + wrong))
            return wrong

    def promise(self, needed: int) -> tuple[Path, int] | None:
        """A reservation, to be ended with `withdraw`; None where there is no room, or none that is known."""
        with self._held(), complaints(self._layout.reservations):
            promised, _ = self._bury()
            short = self._shortfall(promised + needed, self._options.budget_bytes)
            if short is None or short > 0:
                return None
            return claim_file(self._layout.reservations, str(needed))

    def withdraw(self, promise: tuple[Path, int]) -> None:
        """Ends a reservation."""
        path, descriptor = promise
        path.unlink(missing_ok=True)
        os.close(descriptor)

    def shortfall(self, needed: int, budget: int | None = None) -> int | None:
        """How many bytes must go before `needed` more fit, beside what is promised: 0 or less where they fit.

        None where it is not known how many are used.
        """
        with self._held():
            promised, _ = self._reservations()
            return self._shortfall(promised + needed, self._options.budget_bytes if budget is None else budget)

    def room(self) -> Room:
        """What is used, promised, allowed and free, as far as it is known without a count."""
        with self._held():
            balance, (promised, _) = self._read(), self._reservations()
        used = None if balance is None else balance.used
        return Room(used, promised, self._options.budget_bytes, free_bytes(self._layout))

    def bury(self) -> int:
        """Ends the reservations of dead processes: how many. What they wrote and did not tell is not in the ledger."""
        with self._held():
            return self._bury()[1]

    def _bury(self) -> tuple[int, int]:
        """Bytes promised to the living, and how many dead."""
        promised, dead = self._reservations()
        if dead:
            # Before the last witness is gone.
            self._forget()
        for path in dead:
            path.unlink(missing_ok=True)
        return promised, len(dead)

    def _shortfall(self, wanted: int, budget: int) -> int | None:
        balance = self._read()
        if balance is None or balance.used is None:
            return None
        floor = self._options.free_floor_bytes
        return max(balance.used + wanted - budget, floor + wanted - free_bytes(self._layout))

    def _reservations(self) -> tuple[int, list[Path]]:
        """Bytes promised to living processes, and the reservations of dead ones."""
        promised, dead = 0, list[Path]()
        for path in self._layout.reservations.iterdir():
            try:
                descriptor = hold(path, EXCLUSIVE)
            except FileNotFoundError:
                continue
            if descriptor is None:
                promised += int(path.name.partition("-")[0])
            else:
                os.close(descriptor)
                dead.append(path)
        return promised, dead

    def _held(self) -> AbstractContextManager[object]:
        return mutex(self._layout.locks / ".ledger", _WAIT_SECONDS, late="store-busy")

    def _read(self) -> Balance | None:
        match read_object(self._layout.ledger):
            case {
                "used": int() | None as used,
                "grown": int() as grown,
                "shrunk": int() as shrunk,
                "began": str() as began,
            } if (used is None or used >= 0) and grown >= 0 and shrunk >= 0:
                return Balance(used, grown, shrunk, began)
        return None

    def _write(self, balance: Balance) -> None:
        value = {"used": balance.used, "grown": balance.grown, "shrunk": balance.shrunk, "began": balance.began}
        try:
            replace_object(self._layout.ledger, value, self._layout.staging)
        except OSError:
            # Such as a full disk: as in `enter`.
            self._forget()
            raise

    def _forget(self) -> None:
        self._layout.ledger.unlink(missing_ok=True)


def free_bytes(layout: Layout) -> int:
    """Bytes of the volume that this user may still take."""
    status = os.statvfs(layout.root)
    return status.f_bavail * status.f_frsize


def _fresh() -> Balance:
    return Balance(None, 0, 0, secrets.token_hex(8))
