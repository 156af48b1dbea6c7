"""Many requests for one new spec at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from bench.bytecode import BYTECODE_SECONDS_MAX, seconds_until_finished
from bench.house import House, Household, declared, prefix_of
from bench.results import Also, Bar, Peer, Row
from bench.timing import Sample, timed
from recto.declaration import Declaration
from recto.policy import Grant

REQUESTS = 50


def crowd(house: House) -> Row:
    """Fifty requests at once for one new spec, by threads of one process, against one request for the same."""
    household = house.household("flights", seeded=True)
    many, one, builds = [], [], []
    # Untimed: the first imports what resolves and builds.
    _seconds(household, declared(house.project), 1)
    _settle(household, house)
    for _ in range(house.times(9)):
        one.append(_seconds(household, declared(house.project), 1)[0])
        _settle(household, house)
        seconds, built = _seconds(household, declared(house.project), REQUESTS)
        _settle(household, house)
        many.append(seconds)
        builds.append(built)
    return Row(
        "crowd",
        f"{REQUESTS} requests at once for one new spec, library calls",
        Sample(tuple(many)),
        {"one request": Peer(Sample(tuple(one)), Bar("within", 1.2))},
        also={"builds for all of them": Also(Sample(tuple(builds), "builds"), Bar("exactly", 1))},
    )


def _seconds(household: Household, declaration: Declaration, requests: int) -> tuple[float, int]:
    """How long so many requests take together where nothing is remembered, and the builds that they cause."""
    household.forget()
    app = household.app()
    environments = app.environments
    app.base()
    gate = threading.Barrier(requests + 1)

    def ask() -> None:
        gate.wait()
        environments.ensure(declaration, Grant.own()).close()

    with ThreadPoolExecutor(requests) as pool:
        asked = [pool.submit(ask) for _ in range(requests)]
        gate.wait()
        seconds = timed(lambda: [one.result() for one in asked])
    return seconds, app.builds


def _settle(household: Household, house: House) -> None:
    """Waits until nothing works in the background any more."""
    seconds_until_finished(prefix_of(household, house.project), BYTECODE_SECONDS_MAX)
