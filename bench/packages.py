"""Build time beside the number of packages: small wheels of a loopback index, all seen before, sets never asked for."""

from __future__ import annotations

from bench.bytecode import BYTECODE_SECONDS_MAX, seconds_until_finished
from bench.house import House, Household, gone, prefix_of
from bench.peers import Peers
from bench.results import Curve
from bench.timing import Contender, Sample, in_turns
from bench.wheelhouse import Wheelhouse

SIZES = (1, 5, 20, 50, 100, 200)

# pip takes the better part of a minute for the largest set.
_PIP_TIMES = 1

PIP = "venv and pip install"
UV = "uv with --compile-bytecode"


def packages(house: House) -> Curve:
    """A window of the wheelhouse moves on by one package each time, so that every set is new."""
    times = house.times(3)
    wheelhouse = Wheelhouse.of(SIZES[-1] + times)
    series: dict[str, dict[int, Sample]] = {"recto env build": {}, UV: {}, PIP: {}}
    with wheelhouse.serving() as url:
        household = house.household("packages", RECTO_INDEX_URL=url)
        gone(household.data)
        peers = _peers(house, url)
        _warm(house, household, peers, wheelhouse.names)
        for size in SIZES:
            for name, sample in _measured(house, household, peers, wheelhouse.names, size, times).items():
                series[name][size] = sample
    gone(household.data)
    return Curve("packages", "Building an environment of wheels seen before", "packages", "s", series)


def _peers(house: House, url: str) -> Peers:
    scratch = house.root / "peers"
    scratch.mkdir(exist_ok=True)
    caches = {"UV_CACHE_DIR": house.root / "packages-uv", "PIP_CACHE_DIR": house.root / "packages-pip"}
    for path in caches.values():
        gone(path)
    indexes = {"UV_DEFAULT_INDEX": url, "PIP_INDEX_URL": url, "PIP_NO_INPUT": "1"}
    own = {name: str(path) for name, path in caches.items()} | indexes
    return Peers(scratch, house.app.base(), house.app.uv, {**house.variables, **own})


def _warm(house: House, household: Household, peers: Peers, names: tuple[str, ...]) -> None:
    """Everybody fetches every wheel once."""
    project = house.project_of("packages-all", names)
    house.build(project, household)()
    seconds_until_finished(prefix_of(household, project), BYTECODE_SECONDS_MAX)
    requirements = project / "requirements.txt"
    in_turns(1, {PIP: peers.pip(requirements), UV: peers.uv_install(requirements)})


def _measured(
    house: House, household: Household, peers: Peers, names: tuple[str, ...], size: int, times: int
) -> dict[str, Sample]:
    """Samples of sets of one size; each begins at another package."""
    taken: dict[str, list[float]] = {}
    for start in range(times):
        project = house.project_of(f"packages-{size}-{start}", names[start : start + size])
        requirements = project / "requirements.txt"
        acts = {"recto env build": Contender(house.build(project, household))}
        acts[UV] = peers.uv_install(requirements)
        if start < _PIP_TIMES:
            acts[PIP] = peers.pip(requirements)
        for name, sample in in_turns(1, acts).items():
            taken.setdefault(name, []).extend(sample.values)
    return {name: Sample(tuple(values)) for name, values in taken.items()}
