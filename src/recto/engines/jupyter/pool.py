"""`Pool`: kernels that are started in advance for projects that were just rendered.

Guaranteed: each is given to a render of the project that it was started for, once, and ends with it; those that wait
are bounded in number, memory and age, and end with the process that owns the pool, also when that is killed.

Not guaranteed: memory is looked at every few seconds, so one that grows at once is over its bound for as long; a
killed owner leaves the directories of its runners in the temporary directory until they are swept; a child that the
owner forked without exec keeps runners alive as long as it lives.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
from msgspec import Struct

from recto.engines.base import Job
from recto.engines.jupyter.warm import Key, WarmRunner
from recto.sandbox.base import Sandbox

# A kernel that waits runs nothing, so its size hardly changes; a look at one takes some milliseconds.
LOOK_SECONDS = 10.0


class Bounds(Struct, frozen=True):
    """What kernels that wait may take: their number, their memory together in bytes, the age of each in seconds."""

    kernels: int
    memory_bytes: int = 1_000_000_000
    age_seconds: float = 900.0


class Counts(Struct, frozen=True):
    """The pool in numbers. `waiting`, `ready` and `memory_bytes` are those of now, the others of all time.

    `used` and `missed` are those that a render took; the latter had ended or no longer fitted. The others ended unused:
    `expired` by age, `displaced` by a bound, `ended` by themselves. `failed` could not be started.
    """

    waiting: int
    ready: int
    memory_bytes: int
    started: int
    used: int
    missed: int
    expired: int
    displaced: int
    ended: int
    failed: int


class Pool:
    """Warm kernels of one process, for any number of threads; it keeps none but between `open` and `close`.

    `clock` gives seconds; `footprint` the memory of a process and its descendants in bytes.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        bounds: Bounds,
        clock: Callable[[], float] = time.monotonic,
        footprint: Callable[[int], int] | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._bounds = bounds
        self._clock = clock
        self._footprint = footprint or resident_bytes
        self._changed = threading.Condition()
        self._open = False
        # In the order of use, the least recent first.
        self._waiting: dict[Key, WarmRunner] = {}
        self._alive: set[WarmRunner] = set()
        self._looks: dict[WarmRunner, tuple[float, int]] = {}
        self._heavy: set[Path] = set()
        self._counted: Counter[str] = Counter()

    def open(self) -> None:
        """Keeps kernels from now on; whoever calls this calls `close`."""
        with self._changed:
            self._open = True

    def take(self, job: Job) -> WarmRunner | None:
        """One that waits for a job like this, which is the caller's from now on, to use and to leave; or None."""
        key = _key(job)
        with self._changed:
            runner = None if key is None else self._waiting.get(key)
            if runner is None or self._expire(runner):
                return None
            del self._waiting[runner.key]
            runner.taken = True
            runner.waited_seconds = self._clock() - runner.started
        return runner

    def replenish(self, job: Job) -> None:
        """Starts one for the next job like this in the background, if none waits and the bounds allow it.

        Its leases are its own: the job's may be closed afterwards. Where the machine has no room for one, in
        descriptors, threads or disk, there is none: counted as `failed`.
        """
        key = _key(job)
        with self._changed:
            if key is None or not self._open or self._bounds.kernels < 1 or job.prefix in self._heavy:
                return
            if key in self._waiting:
                self._waiting[key] = self._waiting.pop(key)
                return
            while len(self._waiting) >= self._bounds.kernels:
                self._drop(next(iter(self._waiting.values())), "displaced")
            self._start(job)

    def counts(self) -> Counts:
        """The numbers of now."""
        with self._changed:
            return self._count()

    def wait_for(self, state: Callable[[Counts], bool], seconds: float) -> bool:
        """Waits until the numbers are such, at most for so many seconds; whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: state(self._count()), seconds)

    def close(self) -> None:
        """Ends all that wait, and returns when no process of theirs is left; those in use end with their render."""
        with self._changed:
            self._open = False
            for runner in list(self._waiting.values()):
                self._drop(runner, "closed")
            ending = [runner for runner in self._alive if not runner.taken]
        for runner in ending:
            runner.join()

    def _start(self, job: Job) -> None:
        after = [runner for runner in self._alive if runner.ending]
        try:
            runner = WarmRunner(job, self._bounds.age_seconds + job.seconds_max, self._clock())
        except OSError:
            self._counted["failed"] += 1
            return
        try:
            runner.start(self._sandbox, self._look, self._over, after)
        except RuntimeError:
            runner.discard()
            self._counted["failed"] += 1
            return
        self._waiting[runner.key] = runner
        self._alive.add(runner)
        self._counted["started"] += 1

    def _look(self, runner: WarmRunner) -> None:
        """Ends a runner that is too old, and the least recently used while all together are too big."""
        now = self._clock()
        with self._changed:
            self._changed.notify_all()
            if self._waiting.get(runner.key) is not runner or self._expire(runner):
                return
            looked, _ = self._looks.get(runner, (-LOOK_SECONDS, 0))
        if runner.leader is None or now - looked < LOOK_SECONDS:
            return
        size = self._footprint(runner.leader)
        with self._changed:
            if self._waiting.get(runner.key) is not runner:
                return
            self._looks[runner] = (now, size)
            if size > self._bounds.memory_bytes:
                # Not even alone: another of its kind would be started only to be ended.
                self._heavy.add(runner.key.prefix)
            while self._memory() > self._bounds.memory_bytes:
                self._drop(self._heaviest_or_oldest(), "displaced")
            self._changed.notify_all()

    def _heaviest_or_oldest(self) -> WarmRunner:
        """Who has to go: one that is too big alone, else the least recently used of those that were looked at."""
        measured = [runner for runner in self._waiting.values() if runner in self._looks]
        heavy = [runner for runner in measured if self._looks[runner][1] > self._bounds.memory_bytes]
        return (heavy or measured)[0]

    def _count(self) -> Counts:
        waiting = self._waiting.values()
        counted = {name: self._counted[name] for name in _COUNTED}
        ready = sum(runner.leader is not None for runner in waiting)
        return Counts(waiting=len(waiting), ready=ready, memory_bytes=self._memory(), **counted)

    def _memory(self) -> int:
        return sum(self._looks[runner][1] for runner in self._waiting.values() if runner in self._looks)

    def _expire(self, runner: WarmRunner) -> bool:
        expired = self._clock() - runner.started >= self._bounds.age_seconds
        if expired:
            self._drop(runner, "expired")
        return expired

    def _drop(self, runner: WarmRunner, why: str) -> None:
        del self._waiting[runner.key]
        self._counted[why] += 1
        runner.give_up()

    def _over(self, runner: WarmRunner) -> None:
        with self._changed:
            if self._waiting.get(runner.key) is runner:
                del self._waiting[runner.key]
                self._counted["ended" if runner.failure is None else "failed"] += 1
            if runner.taken:
                self._counted["used" if runner.entered else "missed"] += 1
        # From here on nobody takes it.
        if not runner.taken:
            runner.discard()
        with self._changed:
            self._alive.discard(runner)
            self._looks.pop(runner, None)
            self._changed.notify_all()


_COUNTED = ("started", "used", "missed", "expired", "displaced", "ended", "failed")


def resident_bytes(leader: int) -> int:
    """The resident memory of a process and its descendants; pages that they share count for each of them."""
    total = 0
    try:
        root = psutil.Process(leader)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        # It ends just now, which its thread notices.
        return total
    return total


def _key(job: Job) -> Key | None:
    try:
        return Key.of(job)
    except OSError:
        # A cell removed the project, or put something in its place: whoever renders it next is told.
        return None
