"""Bytes on disk of many environments, beside what their wheels take unpacked.

All bytes are allocated ones, directories included, each file with several links once: what `du` says.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import cache_from_source
from pathlib import Path

from bench.bytecode import BYTECODE_SECONDS_MAX, recorded, seconds_until_finished
from bench.draw import corpus_beside
from bench.house import House, Household, declared, gone
from bench.results import Also, Bar, Curve, Peer, Result, Row
from bench.timing import Sample
from recto.environments import Environment
from recto.policy import Grant, Plan
from recto.problems import RectoError

COUNT = 100
_WITHIN = Bar("within", 1.15)

# A set above the first is drawn again; when the second is used up, sets that bring more wheels are.
_SET_BYTES_MAX = 120_000_000
_ALL_BYTES_MAX = 2_500_000_000

# Unpacked and compiled, wheels take about five times their download; the rest is for the volume's other users.
_FREE_BYTES_MIN = 15_000_000_000


@dataclass(slots=True)
class Tally:
    """What the peers would take. A wheel is known by its metadata directory, which names package and version."""

    wheels: dict[str, tuple[int, int]] = field(default_factory=dict)
    copies: int = 0

    def add(self, prefix: Path) -> None:
        """Counts the wheels of one environment."""
        (site,) = prefix.glob("lib/python*/site-packages")
        for metadata in site.glob("*.dist-info"):
            if metadata.name not in self.wheels:
                self.wheels[metadata.name] = _wheel_bytes(site, metadata)
            self.copies += sum(self.wheels[metadata.name])

    @property
    def unpacked(self) -> int:
        return sum(files for files, _ in self.wheels.values())

    @property
    def compiled(self) -> int:
        return self.unpacked + sum(bytecode for _, bytecode in self.wheels.values())


def _wheel_bytes(site: Path, metadata: Path) -> tuple[int, int]:
    """Bytes of a wheel's own files with their directories, and of its bytecode with its directories."""
    files = recorded(site, metadata)
    bytecode = [found for file in files if (found := Path(cache_from_source(str(file)))).exists()]
    directories = {parent for file in files for parent in _within(file, site)}
    own, compiled = [*files, *directories], [*bytecode, *{file.parent for file in bytecode}]
    return sum(map(_allocated, own)), sum(map(_allocated, compiled))


def _within(file: Path, site: Path) -> list[Path]:
    """The directories of a wheel that a file lies in, however deep; shared ones of an environment are not its own."""
    return [parent for parent in file.parents if parent.is_relative_to(site) and parent != site]


def _allocated(path: Path) -> int:
    return path.lstat().st_blocks * 512


def hundred(house: House) -> list[Result]:
    """Environments drawn from the corpus: the store's bytes against the wheels', and both as the store grows."""
    count = COUNT if house.count is None else house.count
    if shutil.disk_usage(house.root).free < _FREE_BYTES_MIN:
        raise RuntimeError(f"{house.root} needs {_FREE_BYTES_MIN / 1e9:.0f} GB of free disk for this row")
    household = house.household("hundred", RECTO_BUDGET="100GB", RECTO_FREE_FLOOR="1GB")
    gone(household.data)
    growth: dict[str, dict[int, Sample]] = {}
    tally = Tally()
    for done, prefix in enumerate(_prefixes(house, household, count), 1):
        tally.add(prefix)
        print(f"hundred: {done} of {count} environments, {len(tally.wheels)} wheels", file=sys.stderr, flush=True)
        if done in _marks(count):
            for name, amount in _amounts(household, tally).items():
                growth.setdefault(name, {})[done] = Sample((float(amount),), "bytes")
    curve = Curve("disk", "Bytes on disk", "environments drawn from the corpus", "bytes", growth)
    return [_row(household, tally, count), curve]


def _marks(count: int) -> set[int]:
    return {mark for mark in (1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90) if mark < count} | {count}


def _amounts(household: Household, tally: Tally) -> dict[str, int]:
    return {
        "Recto's store": sum(_usage(household).values()),
        "distinct wheels, unpacked": tally.unpacked,
        "distinct wheels and their bytecode": tally.compiled,
        "a copy for each environment": tally.copies,
    }


def _row(household: Household, tally: Tally, count: int) -> Row:
    used = _usage(household)
    peers = {
        "distinct wheels, unpacked": Peer(_bytes(tally.unpacked), _WITHIN),
        "distinct wheels and their bytecode": Peer(_bytes(tally.compiled), _WITHIN),
        "a copy for each environment": Peer(_bytes(tally.copies)),
    }
    return Row(
        "hundred",
        f"bytes on disk of {count} environments drawn from the corpus, {len(tally.wheels)} wheels",
        _bytes(sum(used.values())),
        peers,
        also={f"of it {name}": Also(_bytes(amount)) for name, amount in used.items()},
    )


def _bytes(amount: int) -> Sample:
    return Sample((float(amount),), "bytes")


def _usage(household: Household) -> dict[str, int]:
    """Bytes of the store in parts, each file in the first part that has it."""
    root = household.data / "v1"
    wheels = sorted((root / "cache" / "uv").glob("archive-v*"))
    parts = {"unpacked wheels": wheels, "index pages and the rest of the cache": [root / "cache"]}
    parts |= {"bytecode": [root / "bytecode"], "environments": [root / "envs"], "all the rest": [root]}
    paths = [path for found in parts.values() for path in found if path.exists()]
    said = subprocess.run(["du", "-s", "-B1", *paths], capture_output=True, text=True, check=True).stdout
    # `du` says nothing more of a path inside one that it counted, and of others counts only what is new.
    sizes = {Path(line.partition("\t")[2]): int(line.partition("\t")[0]) for line in said.splitlines()}
    return {name: sum(sizes.get(path, 0) for path in found) for name, found in parts.items()}


def _prefixes(house: House, household: Household, count: int) -> Iterator[Path]:
    """Finished environments that differ, so many."""
    seen, purse = set[str](), Purse()
    environments = household.app().environments
    for drawn, lines in enumerate(corpus_beside(Path(__file__)).sets()):
        if len(seen) == count:
            return
        declaration = declared(house.project_of(f"hundred-{drawn}", lines))
        try:
            checked = environments.check(declaration, Grant.own())
            key = str(checked.environment_key)
            if key in seen or not checked.verdict.allowed or checked.plan is None or not purse.pays(checked.plan):
                continue
            environment = environments.ensure(declaration, Grant.own())
        except RectoError as error:
            # Old pins without a wheel for this Python, names that are gone: a corpus of real files is like that.
            print(f"hundred: {', '.join(lines)}: {error}", file=sys.stderr, flush=True)
            continue
        seen.add(key)
        yield _finished(environment)


@dataclass(slots=True)
class Purse:
    """What may be downloaded, and what was."""

    wheels: set[tuple[str, str]] = field(default_factory=set)
    spent: int = 0

    def pays(self, plan: Plan) -> bool:
        """Whether this set is within both limits; if so, its wheels count as downloaded."""
        costs = {(item.name, item.version): item.download_bytes or 0 for item in plan.install}
        fresh = sum(cost for wheel, cost in costs.items() if wheel not in self.wheels)
        if plan.download_bytes > _SET_BYTES_MAX or self.spent + fresh > _ALL_BYTES_MAX:
            return False
        self.wheels.update(costs)
        self.spent += fresh
        return True


def _finished(environment: Environment) -> Path:
    with environment:
        seconds_until_finished(environment.prefix, BYTECODE_SECONDS_MAX)
        return environment.prefix
