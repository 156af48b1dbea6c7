"""Rows about building: wheels seen before, from a kept lock, and the first time ever."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.bytecode import BYTECODE_SECONDS_MAX, seconds_until_finished, unfinished
from bench.house import PACKAGES, House, Household, declared, delta_lock, gone, prefix_of
from bench.peers import Peers
from bench.results import Also, Bar, Peer, Row
from bench.timing import Contender, Sample, in_turns, timed
from recto.policy import Grant

PIP = "venv and pip install -r"
UV = "uv venv and uv pip install --compile-bytecode of our lock"
COPY = "cp -al of the finished tree"


_BARS = {PIP: Bar("faster", 40), UV: Bar("faster", 10), COPY: Bar("within", 1.5)}
RESIDENT = "the same call in a process that runs already"
AS_THE_INDEX_SAYS = "the same with RECTO_PAGE_SECONDS=0: pages are current for as long as the index says"
_ALSO_BARS = {RESIDENT: (Bar("within", 1.5), COPY)}
_COLD_BARS = {PIP: Bar("faster", 8)}


@dataclass(slots=True)
class Rounds:
    """What rounds of building gave: ours, how much bytecode was missing at its return and for how long, the peers'."""

    ours: list[float] = field(default_factory=list)
    missing: list[float] = field(default_factory=list)
    bytecode: list[float] = field(default_factory=list)
    peers: dict[str, list[float]] = field(default_factory=dict)
    also: dict[str, list[float]] = field(default_factory=dict)

    def build(self, act: Contender, household: Household, project: Path) -> Path:
        """Times ours, then looks for its bytecode; the environment's prefix."""
        act.before()
        os.sync()
        started = time.perf_counter()
        self.ours.append(timed(act.act))
        prefix = prefix_of(household, project)
        # Looking takes seconds the first time, in which the bytecode may be finished.
        self.missing.append(len(unfinished(prefix)))
        seconds_until_finished(prefix, BYTECODE_SECONDS_MAX)
        self.bytecode.append(time.perf_counter() - started)
        return prefix

    def compare(self, contenders: dict[str, Contender]) -> None:
        """Times each peer once."""
        for name, sample in in_turns(1, contenders, settle=True).items():
            self.peers.setdefault(name, []).extend(sample.values)

    def row(self, name: str, what: str, bars: dict[str, Bar], bytecode_bar: Bar | None) -> Row:
        return Row(
            name,
            what,
            Sample(tuple(self.ours)),
            {peer: Peer(Sample(tuple(taken)), bars.get(peer)) for peer, taken in self.peers.items()},
            also={
                "source files without bytecode at its return": Also(Sample(tuple(self.missing), "files"), bytecode_bar),
                "until its bytecode is finished": Also(Sample(tuple(self.bytecode))),
                **{name: Also(Sample(tuple(taken)), *_ALSO_BARS.get(name, ())) for name, taken in self.also.items()},
            },
        )


def new(house: House) -> Row:
    """Sets that nobody asked for before, of wheels that another project brought: each time another five of the six."""
    household, peers, rounds = house.own, _peers(house), Rounds()
    _start(house)
    # What pip and uv download they keep; the first of each is not counted.
    whole = _scratch(house, "whole.toml", delta_lock(prefix_of(household, house.project)))
    in_turns(1, {PIP: peers.pip(house.project / "requirements.txt"), UV: peers.uv_install(whole)})
    subsets = list(itertools.combinations(PACKAGES, len(PACKAGES) - 1))
    for number, subset in enumerate(subsets[: house.times(3)]):
        project = house.project_of(f"new-{number}", subset)
        prefix = rounds.build(Contender(house.build(project)), household, project)
        lock = _scratch(house, "new.toml", delta_lock(prefix))
        requirements = project / "requirements.txt"
        rounds.compare({PIP: peers.pip(requirements), UV: peers.uv_install(lock), COPY: peers.copy(prefix)})
    by_index = Household(household.data, {**household.variables, "RECTO_PAGE_SECONDS": "0"})
    for number, subset in enumerate(subsets[-house.times(3) :]):
        project = house.project_of(f"by-index-{number}", subset)
        os.sync()
        rounds.also.setdefault(AS_THE_INDEX_SAYS, []).append(timed(house.build(project, by_index)))
    return rounds.row("new", "a set never asked for before, its wheels seen, resolved anew", _BARS, Bar("exactly", 0))


def again(house: House) -> Row:
    """The project's environment after its eviction: the lock is kept, the wheels are there."""
    household, peers, rounds = house.own, _peers(house), Rounds()
    _start(house)
    lock = _scratch(house, "again.toml", delta_lock(prefix_of(household, house.project)))
    requirements = house.project / "requirements.txt"
    in_turns(1, {PIP: peers.pip(requirements), UV: peers.uv_install(lock)})
    for _ in range(house.times(3)):
        build = Contender(house.build(house.project), household.evict)
        prefix = rounds.build(build, household, house.project)
        rounds.compare({PIP: peers.pip(requirements), UV: peers.uv_install(lock), COPY: peers.copy(prefix)})
        rounds.also.setdefault(RESIDENT, []).append(_in_process(house, household))
    return rounds.row("again", "an evicted environment, built again from its kept lock", _BARS, Bar("exactly", 0))


def cold(house: House) -> Row:
    """The first environment of a machine that has a base and nothing else: every wheel is downloaded by everybody."""
    household, rounds = house.household("cold"), Rounds()
    caches = house.root / "cold-caches"
    peers = _peers(house, UV_CACHE_DIR=str(caches / "uv"), PIP_CACHE_DIR=str(caches / "pip"))
    for _ in range(house.times(3)):
        build = Contender(house.build(house.project, household), lambda: gone(household.data))
        prefix = rounds.build(build, household, house.project)
        lock = _scratch(house, "cold.toml", delta_lock(prefix))
        gone(caches)
        rounds.compare({PIP: peers.pip(house.project / "requirements.txt"), UV: peers.uv_install(lock)})
    gone(household.data)
    gone(caches)
    return rounds.row("cold", "the first environment of a machine, every wheel downloaded", _COLD_BARS, None)


def _in_process(house: House, household: Household) -> float:
    """The seconds that building the evicted environment takes in this process, which has built it before."""
    environments, asked = household.app().environments, declared(house.project)
    taken = 0.0
    for _ in range(2):
        household.evict()
        os.sync()
        taken = timed(lambda: environments.ensure(asked, Grant.own()).close())
    return taken


def _start(house: House) -> None:
    """Forgets what earlier rows asked for, and builds the whole set as another project, which asks the index now."""
    house.own.forget()
    for pages in (house.own.data / "v1" / "cache" / "uv").glob("simple-*"):
        gone(pages)
    house.build(house.project)()
    seconds_until_finished(prefix_of(house.own, house.project), BYTECODE_SECONDS_MAX)


def _peers(house: House, **caches: str) -> Peers:
    scratch = house.root / "peers"
    scratch.mkdir(exist_ok=True)
    own = {"PIP_CACHE_DIR": str(house.root / "pip-cache"), "PIP_NO_INPUT": "1", **caches}
    return Peers(scratch, house.app.base(), house.app.uv, {**house.variables, **own})


def _scratch(house: House, name: str, lock: str) -> Path:
    # uv knows a lock by its name.
    path = house.root / "peers" / f"pylock.{name}"
    path.write_text(lock)
    return path
