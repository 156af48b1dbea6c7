"""Stores with many environments: hits, and passes of eviction with a lease-taker beside them."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from bench.house import House, Household, declared, prefix_of
from bench.results import Also, Bar, Curve, Peer, Row
from bench.timing import Contender, Sample, in_turns, timed
from recto.keys import EnvironmentKey
from recto.policy import Grant
from recto.store import Lease, Store

SIZES = (100, 1_000, 10_000)
_EVICTED = 100

# Environments of which leases are taken meanwhile, over and over. More would keep a good part of a small store from
# being evicted, because whatever was used since a pass looked stays.
_HOT = 10
_PASS_SECONDS = 2.0
_HIT_SECONDS = 0.0005

# Files of a tree that stands for an environment; more would only measure the disk.
_FILES = ("bin/python3", "lib/python3/site-packages/one/__init__.py", "share/jupyter/kernels/python3/kernel.json")


@dataclass(frozen=True, slots=True)
class Crowd:
    """A household with the project's environment and `count` others, published through the store one by one."""

    household: Household
    project: Path
    count: int

    @property
    def store(self) -> Store:
        return self.household.app().store

    def fill(self) -> None:
        """Publishes what is missing; every manifest is the one of the real environment, under its own key.

        The real environment is pinned: it is larger than all others together, which would spoil a pass.
        """
        store = self.store
        prefix = prefix_of(self.household, self.project)
        store.pin(EnvironmentKey(prefix.name))
        manifest = json.loads((prefix / "recto.json").read_bytes())
        for key in map(_key, range(self.count)):
            if not store.has(key):
                with store.stage(key) as staging:
                    _plant(staging.directory)
                    staging.publish(manifest).close()


def _key(number: int) -> EnvironmentKey:
    return EnvironmentKey(f"{number:032x}")


def _plant(directory: Path) -> None:
    for name in _FILES:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)


def _crowd(house: House, count: int) -> Crowd:
    household = house.household(f"crowd-{count}", seeded=True)
    house.build(house.project, household)()
    crowd = Crowd(household, house.project, count)
    crowd.fill()
    return crowd


def _most(house: House) -> int:
    return SIZES[-1] if house.count is None else house.count


def _sizes(house: House) -> list[int]:
    """The sizes of a curve; a smaller `count` ends it there."""
    return [size for size in SIZES if size < _most(house)] + [_most(house)]


def hit(house: House) -> Row:
    """A ready environment by library call, with many others in the store."""
    crowd = _crowd(house, _most(house))
    samples = _hits(house, crowd)
    what = f"a ready environment, library call, {crowd.count:,} others in the store"
    return Row("hit", what, samples["ours"], {"flock and stat": Peer(samples["floor"])}, Bar("below", _HIT_SECONDS))


def hits(house: House) -> Curve:
    """A hit beside the number of environments."""
    ours, floors = {}, {}
    for count in _sizes(house):
        crowd = _crowd(house, count)
        samples = _hits(house, crowd)
        ours[count], floors[count] = samples["ours"], samples["floor"]
    series = {"recto": ours, "flock and stat": floors}
    return Curve("hits", "A hit by library call", "environments in the store", "s", series, logarithmic=True)


def _hits(house: House, crowd: Crowd) -> dict[str, Sample]:
    prefix = prefix_of(crowd.household, house.project)
    acts = {"ours": Contender(_hit(crowd)), "floor": Contender(partial(_floor, prefix))}
    # The first calls import what is imported late.
    in_turns(20, acts)
    return in_turns(house.times(1000), acts)


def _hit(crowd: Crowd) -> Callable[[], None]:
    environments, declaration, grant = crowd.household.app().environments, declared(crowd.project), Grant.own()
    return lambda: environments.ensure(declaration, grant).close()


def _floor(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    os.fstat(descriptor)
    path.stat()
    os.close(descriptor)


def evict(house: House) -> Row:
    """Passes that find nothing to evict, and passes that must evict a hundred, while somebody takes leases."""
    crowd = _crowd(house, _most(house))
    idle, busy, leases = _passes(crowd, house.times(5))
    bar = Bar("below", _PASS_SECONDS)
    also = {
        f"a pass that must evict {_to_evict(crowd)}": Also(busy, bar),
        "median lease meanwhile": Also(Sample(tuple(leases.medians))),
        "slowest lease meanwhile": Also(Sample(tuple(leases.slowest))),
    }
    return Row("evict", f"an eviction pass over {crowd.count:,} environments, none to go", idle, {}, bar, also)


def evictions(house: House) -> Curve:
    """Passes beside the number of environments."""
    idle, busy, slowest = {}, {}, {}
    for count in _sizes(house):
        idle[count], busy[count], leases = _passes(_crowd(house, count), house.times(3))
        slowest[count] = Sample(tuple(leases.slowest))
    series = {"none to evict": idle, f"{_EVICTED} to evict, or half": busy, "slowest lease meanwhile": slowest}
    return Curve("evictions", "An eviction pass", "environments in the store", "s", series, logarithmic=True)


@dataclass(slots=True)
class Leases:
    """Seconds of leases that were taken during each pass."""

    medians: list[float]
    slowest: list[float]


def _passes(crowd: Crowd, times: int) -> tuple[Sample, Sample, Leases]:
    idle, busy, leases = [], [], Leases([], [])
    for _ in range(times):
        store = crowd.store
        # What no environment uses goes first; it goes now, so that the pass that is timed has environments to evict.
        store.prune(store.audit().usage.total_bytes - 1)
        crowd.fill()
        total = store.audit().usage.total_bytes
        own, evicted = _own_bytes(store), _to_evict(crowd)
        taker = _Taker(crowd)
        try:
            idle.append(timed(partial(store.prune, 2 * total)))
            budget = total - evicted * own + own // 2
            started = time.perf_counter()
            pruned = store.prune(budget)
            busy.append(time.perf_counter() - started)
        finally:
            taken = taker.stop()
        if abs(len(pruned.evicted) - evicted) > evicted // 10:
            raise RuntimeError(f"{len(pruned.evicted)} environments were evicted instead of {evicted}")
        leases.medians.append(taken.median)
        leases.slowest.append(max(taken.values))
    return Sample(tuple(idle)), Sample(tuple(busy)), leases


def _to_evict(crowd: Crowd) -> int:
    return min(_EVICTED, crowd.count // 2)


def _own_bytes(store: Store) -> int:
    """What evicting one of the crowd frees."""
    lease = store.lease(_key(0))
    if not isinstance(lease, Lease):
        raise RuntimeError("the first of the crowd is not there")
    with lease:
        paths = [lease.path, *lease.path.rglob("*")]
        return sum(path.lstat().st_blocks * 512 for path in paths)


class _Taker:
    """A process that takes leases one after another until it is stopped.

    A process and not a thread: threads of one interpreter wait for each other, which would be measured instead.
    """

    def __init__(self, crowd: Crowd) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_take, args=(theirs, crowd.household.data, crowd.count), daemon=True)
        self._process.start()
        self._ours.recv()

    def stop(self) -> Sample:
        """Seconds of each lease."""
        self._ours.send(None)
        seconds = self._ours.recv()
        self._process.join()
        return Sample(tuple(seconds))


def _take(pipe: Connection, data: Path, count: int) -> None:
    store, chance = Store.open(data), random.Random(1)
    seconds: list[float] = []
    pipe.send(None)
    while not (pipe.poll() and seconds):
        started = time.perf_counter()
        lease = store.lease(_key(chance.randrange(max(1, min(_HOT, count // 2)))))
        seconds.append(time.perf_counter() - started)
        if isinstance(lease, Lease):
            lease.close()
    pipe.send(seconds)
