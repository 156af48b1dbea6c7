"""The store: keys to directories."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from recto.keys import EnvironmentKey, LineageKey, SpecKey
from recto.problems import StoreError, problem, size
from recto.store import accounting, eviction, leases, staging
from recto.store.accounting import Audit, Usage
from recto.store.complaints import complaints
from recto.store.entries import Entry, entries, find
from recto.store.eviction import Pruned, Pruning, Sweeper
from recto.store.failpoints import Failpoint, no_failpoint
from recto.store.layout import MANIFEST, Layout
from recto.store.leases import Lease
from recto.store.ledger import Ledger, Options, Room, free_bytes
from recto.store.mutex import Turn, Words, held, mutex
from recto.store.records import Miss, Record, read_object, read_record, write_record
from recto.store.staging import Staging
from recto.store.unfinished import Unfinished

if TYPE_CHECKING:
    from recto.store.documents import Documents
    from recto.store.failures import Failure, Failures
    from recto.store.memory import Memory

# A pruning deletes trees, some seconds each; who waits for another's longer than this would rather hear of it.
_PRUNING_WAIT_SECONDS = 600.0
# How often who waits for room while another prunes looks whether that one has made enough of it already.
_LOOK_SECONDS = 0.5

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


class Seen(Struct, frozen=True):
    """Two files and their bytes, None for one that is not there: whoever finds them unchanged knows the same answer.

    `record` is the spec's, `mark` is there while the environment is unfinished.
    """

    record: Path
    record_data: bytes | None
    mark: Path
    mark_data: bytes | None


class Store:
    """Environments, records and locks below one data directory, for any number of processes and threads of one machine.

    Guaranteed: what `lease` returns is whole and stays while leased; of several who publish one key, one does; a
    process killed at any moment leaves nothing that has to be repaired. Times come from `clock`, in seconds since 1970;
    they order and inform, nothing waits by them, so a clock that jumps makes the order of eviction wrong and failures
    count for too short a time, and no more.

    Not guaranteed: network file systems without `flock(2)`; two data directories of which one lies in the other; a data
    directory that spans file systems (publishing is a rename).

    Every method raises StoreError where the disk refuses.
    """

    def __init__(
        self,
        data: Path,
        options: Options | None = None,
        clock: Callable[[], float] = time.time,
        failpoint: Failpoint = no_failpoint,
        sweepers: tuple[Sweeper, ...] = (),
    ) -> None:
        self._layout = Layout.of(data)
        self._options = options or Options()
        self._clock = clock
        self._failpoint = failpoint
        self._sweepers = sweepers
        self._ledger = Ledger(self._layout, self._options)
        self._unfinished = Unfinished(self._layout)

    @classmethod
    def open(
        cls,
        data: Path,
        options: Options | None = None,
        clock: Callable[[], float] = time.time,
        failpoint: Failpoint = no_failpoint,
        sweepers: tuple[Sweeper, ...] = (),
    ) -> Self:
        """A store whose directories exist. (The constructor touches no disk; whatever writes makes them too.)"""
        store = cls(data, options, clock, failpoint, sweepers)
        store._make()
        return store

    @property
    def cache(self) -> Path:
        """Where the installer keeps wheels; on the file system of the environments, so that it can link them."""
        return self._layout.cache

    @property
    def bytecode(self) -> Path:
        """Where compiled files are kept, to be linked into environments."""
        return self._layout.bytecode

    @property
    def base(self) -> Path:
        """Where Recto makes a base of its own."""
        return self._layout.base

    def spec(self, key: SpecKey) -> Record | Miss:
        """What was stored for the spec."""
        return self._record(self._layout.spec(key))

    def seen(self, spec: SpecKey, key: EnvironmentKey) -> Seen:
        """What is looked at where the spec is answered with this environment, as it lies on the disk."""
        record, mark = self._layout.spec(spec), self._layout.unfinished / str(key)
        with complaints(self._layout.root):
            return Seen(record, _bytes(record), mark, _bytes(mark))

    def put_spec(self, key: SpecKey, value: Mapping[str, object]) -> None:
        """Stores a JSON object for the spec, in place of what was there; a power failure may undo it."""
        self._put(self._layout.spec(key), value)

    def forget_spec(self, key: SpecKey) -> None:
        """Forgets what was stored for the spec, its resolution and its failure, if anything was."""
        with complaints(self._layout.root):
            self._failures.clear(key)
            self._layout.spec(key).unlink(missing_ok=True)
            self._layout.resolution(key).unlink(missing_ok=True)

    def resolution(self, key: SpecKey) -> Record | Miss:
        """The whole answer that was stored for the spec; kept apart from `spec`, which a hit reads."""
        return self._record(self._layout.resolution(key))

    def put_resolution(self, key: SpecKey, value: Mapping[str, object]) -> None:
        """Stores a JSON object as the whole answer to the spec, in place of what was there; on the disk by then.

        What was pinned stays pinned: the other records can be derived from this one.
        """
        self._put(self._layout.resolution(key), value, durable=True)

    def lineage(self, key: LineageKey) -> Record | Miss:
        """What was stored for the lineage."""
        return self._record(self._layout.lineage(key))

    def put_lineage(self, key: LineageKey, value: Mapping[str, object]) -> None:
        """Stores a JSON object for the lineage, in place of what was there; a power failure may undo it."""
        self._put(self._layout.lineage(key), value)

    def forget_lineage(self, key: LineageKey) -> None:
        """Forgets what was stored for the lineage, if anything was."""
        with complaints(self._layout.root):
            self._layout.lineage(key).unlink(missing_ok=True)

    def failure(self, key: SpecKey) -> Failure | Miss:
        """Why the spec could not be answered, as long as that counts."""
        with complaints(self._layout.root):
            return self._failures.get(key, self._clock())

    def put_failure(self, key: SpecKey, value: Mapping[str, object], seconds: float) -> None:
        """Stores a JSON object as the failure of the spec, in place of what was there.

        It counts for that many seconds, a week at most; a power failure may undo it.
        """
        self._make()
        with complaints(self._layout.root):
            self._failures.put(key, value, seconds, self._clock())

    def forget_failure(self, key: SpecKey) -> None:
        """Forgets why the spec could not be answered, if it could not."""
        with complaints(self._layout.root):
            self._failures.clear(key)

    def memory(self) -> Mapping[str, Memory]:
        """What is remembered of `failures` and of `documents`; reads every record, so not for the way of a request."""
        with complaints(self._layout.root):
            return {"failures": self._failures.memory(self._clock()), "documents": self._documents.memory()}

    def document(self, name: str) -> Record | Miss:
        """What was stored for the document of this name: its `environment_key`, and the `value` beside it."""
        with complaints(self._layout.root):
            return self._documents.get(_named(name))

    def put_document(self, name: str, key: EnvironmentKey | None, value: Mapping[str, object]) -> None:
        """Stores a JSON object for a document and the environment that it was rendered with, None for the base alone.

        It goes some time after the environment does; a power failure may undo it.
        """
        self._make()
        with complaints(self._layout.root):
            self._documents.put(_named(name), None if key is None else key.digest, value, self._clock())

    def lease(self, key: EnvironmentKey) -> Lease | Miss:
        """A lease on the environment, marked as used now; a Miss where there is none or it is being evicted."""
        with complaints(self._layout.root):
            return leases.take(key, self._layout.environment(key), self._clock())

    def mutex(
        self,
        name: str,
        wait_seconds: float,
        waiting: Callable[[], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        heard: Callable[[Words], None] | None = None,
        needless: Callable[[], bool] | None = None,
    ) -> AbstractContextManager[Turn | None]:
        """Keeps everybody else out of blocks with this name, in any process; see `mutex` for the waiting.

        Raises StoreError `store-wait` after `wait_seconds`, Cancelled when `cancelled()` says so.
        """
        return mutex(
            self._layout.locks / _named(name), wait_seconds, waiting, cancelled, heard=heard, needless=needless
        )

    def busy(self, name: str) -> bool:
        """Whether somebody holds the mutex of this name at the moment of asking."""
        with complaints(self._layout.root):
            return held(self._layout.locks / name)

    def has(self, key: EnvironmentKey) -> bool:
        """Whether the environment is published at the moment of asking; only a lease keeps it there."""
        return self._layout.environment(key).is_dir()

    def manifest(self, key: EnvironmentKey) -> dict[str, object] | Miss:
        """The manifest of an environment."""
        with complaints(self._layout.root):
            return read_object(self._layout.environment(key) / MANIFEST)

    def mark_unfinished(self, key: EnvironmentKey, lacking: Mapping[str, object]) -> None:
        """Keeps in mind what an environment that is about to be published still lacks."""
        self._make()
        with complaints(self._layout.root):
            self._unfinished.mark(key, lacking, self._clock())

    def is_unfinished(self, key: EnvironmentKey) -> bool:
        """Whether the environment still lacks something that somebody is to give it; one system call."""
        return self._unfinished.has(key)

    def unfinished(self) -> list[EnvironmentKey]:
        """The environments that still lack something, the one marked first in front."""
        with complaints(self._layout.root):
            return self._unfinished.keys()

    def lacking(self, key: EnvironmentKey) -> Record | Miss:
        """What an environment still lacks."""
        with complaints(self._layout.root):
            return self._unfinished.lacking(key)

    def finished(self, key: EnvironmentKey) -> None:
        """Ends the mark of `mark_unfinished`."""
        with complaints(self._layout.root):
            self._unfinished.clear(key)

    def finishing_failed(self, key: EnvironmentKey, reason: str) -> None:
        """Ends the mark and keeps the reason, for `unfinishable`."""
        with complaints(self._layout.root):
            self._unfinished.fail(key, reason, self._clock())

    def unfinishable(self) -> dict[str, str]:
        """Why environments could not be finished, by their keys."""
        with complaints(self._layout.root):
            return self._unfinished.failures()

    def stage(self, key: EnvironmentKey) -> AbstractContextManager[Staging]:
        """A place to build the environment; leaving the block without `publish` deletes what is in it."""
        return staging.stage(self._layout, key, self._clock, self._failpoint, self._ledger)

    @contextmanager
    def reserve(self, bytes_needed: int) -> Iterator[None]:
        """Keeps that many bytes of the budget and of the volume for the block, evicting others if it must.

        Raises StoreError `store-full` where they cannot be had. Nothing is evicted for more than the whole budget.
        """
        promise = self._promise(bytes_needed)
        try:
            yield
        finally:
            self._ledger.withdraw(promise)

    def grow(self, amount: int) -> None:
        """Counts that many allocated bytes more: what is written to `cache`, `bytecode` or `base` beside a publishing.

        Say it before writing: a process that dies in between then leaves the count too high, never too low.
        """
        if amount < 0:
            raise ValueError("a store does not grow by less than nothing")
        self._make()
        with complaints(self._layout.root):
            self._ledger.enter(added=amount)

    def environments(self) -> Iterator[Entry]:
        """Every published environment, in no order."""
        with complaints(self._layout.root):
            yield from entries(self._layout)

    def find(self, prefix: str) -> Entry:
        """The one environment whose key begins with `prefix`; StoreError `environment-unknown` unless it is one."""
        with complaints(self._layout.root):
            entry = find(self._layout, prefix)
        if entry is None:
            raise _unknown(prefix)
        return entry

    def pin(self, key: EnvironmentKey) -> None:
        """Keeps the environment from eviction until it is unpinned; StoreError `environment-unknown`."""
        lease = self.lease(key)
        if isinstance(lease, Miss):
            raise _unknown(key)
        with lease, complaints(self._layout.pins):
            self._layout.pin(key).touch()

    def unpin(self, key: EnvironmentKey) -> None:
        """Lets the environment be evicted again."""
        with complaints(self._layout.pins):
            self._layout.pin(key).unlink(missing_ok=True)

    def remove(self, key: EnvironmentKey) -> int:
        """Deletes the environment and its pin, and says how many bytes that freed.

        Waits while another process prunes. Raises StoreError `environment-in-use` or `environment-unknown`.
        """
        self._make()
        with self._turn(), complaints(self._layout.root):
            try:
                freed = eviction.remove(self._layout, self._ledger, key, self._failpoint)
            except FileNotFoundError as error:
                raise _unknown(key) from error
        if freed is None:
            raise StoreError(problem("environment-in-use", key=key))
        return freed

    def prune(self, budget_bytes: int | None = None) -> Pruned:
        """Clears what dead processes left and evicts until the store fits `budget_bytes`, its own budget by default.

        Waits while another process prunes. What is in use or pinned stays, whatever the budget.
        """
        return self._prune(0, budget_bytes)

    def room(self) -> Room:
        """What is used, promised, allowed and free, as the ledger has it; looks at no environment."""
        self._make()
        with complaints(self._layout.root):
            return self._ledger.room()

    def usage(self) -> Usage:
        """Bytes by bucket, exact; looks at every file, so not for the way of a request."""
        self._make()
        with complaints(self._layout.root):
            return accounting.usage(self._layout, self._options)

    def audit(self) -> Audit:
        """What is used, exactly, against what the ledger says, which is mended; looks at every file.

        Clears what dead processes left. Others go on meanwhile; only before and after does it wait for who prunes.
        """
        self._make()
        with self._turn(), complaints(self._layout.root):
            eviction.clear(self._layout, self._ledger)
            mark = self._ledger.mark()
        used = self.usage()
        # Nobody may be halfway through a deletion when the ledger is compared.
        with self._turn(), complaints(self._layout.root):
            eviction.clear(self._layout, self._ledger)
            mended = self._ledger.mend(used.counted_bytes, mark)
            if mended is None:
                self._ledger.settle(used.counted_bytes, mark)
        return Audit(used, mark.used, mended or 0)

    @property
    def _documents(self) -> Documents:
        from recto.store.documents import Documents

        return Documents(self._layout)

    @property
    def _failures(self) -> Failures:
        # Late, as a hit has none.
        from recto.store.failures import Failures

        return Failures(self._layout)

    def _make(self) -> None:
        with complaints(self._layout.root):
            self._layout.make()

    def _record(self, path: Path) -> Record | Miss:
        with complaints(self._layout.root):
            return read_record(path)

    def _put(self, path: Path, value: Mapping[str, object], durable: bool = False) -> None:
        self._make()
        with complaints(self._layout.root):
            write_record(path, value, self._clock(), self._layout.staging, durable)

    def _promise(self, needed: int) -> tuple[Path, int]:
        self._make()
        promise = self._make_room(needed) if needed <= self._options.budget_bytes else None
        if promise is None:
            with complaints(self._layout.root):
                free = min(free_bytes(self._layout), self._options.budget_bytes)
            raise StoreError(problem("store-full", needed=size(needed), free=size(free)))
        return promise

    def _make_room(self, needed: int) -> tuple[Path, int] | None:
        waited = 0.0
        while (promise := self._ledger.promise(needed)) is None:
            try:
                freed = self._prune(needed, None, _LOOK_SECONDS).freed_bytes
            except StoreError as error:
                waited += _LOOK_SECONDS
                if error.problems[0].code != "store-busy" or waited >= _PRUNING_WAIT_SECONDS:
                    raise
                continue
            if freed == 0:
                # Nothing more can go; but it may have come out that less is used than was thought.
                return self._ledger.promise(needed)
        return promise

    def _prune(self, needed: int, budget: int | None, wait_seconds: float = _PRUNING_WAIT_SECONDS) -> Pruned:
        self._make()
        with self._turn(wait_seconds), complaints(self._layout.root):
            self._failures.sweep(self._clock())
            pruned = Pruning(self._layout, self._ledger, self._sweepers, self._failpoint).run(needed, budget)
            self._documents.sweep()
            return pruned

    def _turn(self, wait_seconds: float = _PRUNING_WAIT_SECONDS) -> AbstractContextManager[object]:
        """The mutex of whoever deletes: one at a time."""
        return mutex(self._layout.locks / ".prune", wait_seconds, late="store-busy")


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name: {name!r}")
    return name


def _unknown(key: object) -> StoreError:
    return StoreError(problem("environment-unknown", key=key))


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
