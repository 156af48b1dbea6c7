"""Requests of one process for the same packages: one build, many callers, and the end of it when all have left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from house import OWN, House, asks, key_of
from msgspec.structs import replace

from recto.declaration.model import Declaration
from recto.environments import Checked, Environment, Environments, Update
from recto.problems import BuildError, Cancelled, RectoError, ResolveError, Source, problem
from recto.progress import Event, Progress

# Longer than anything here takes; a test that waits this long has failed.
LONG_SECONDS = 60


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    assert house.leftovers() == []


@dataclass
class Gate:
    """A build that has begun and goes on when the test lets it, or ends when it is cancelled."""

    begun: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    cancelled: list[str] = field(default_factory=list)

    def __call__(self, progress: Progress, cancelled: Callable[[], bool]) -> None:
        progress(Event("installing", "begun", 1, 2, "packages"))
        self.begun.set()
        while not self.opened.wait(0.01):
            if cancelled():
                self.cancelled.append(threading.current_thread().name)
                raise Cancelled(problem("cancelled"))


class Visitor(threading.Thread):
    """One request on a thread of its own: what it was told, and what became of it."""

    def __init__(self, call: Callable[[Progress, Callable[[], bool]], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.told: list[Event] = []
        self.told_on: set[threading.Thread] = set()
        self.begun = threading.Event()
        self.stop = threading.Event()
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._call(self._hear, self.stop.is_set)
        except RectoError as error:
            self.outcome = error

    def _hear(self, event: Event) -> None:
        self.told.append(event)
        self.told_on.add(threading.current_thread())
        if event.message == "begun":
            self.begun.set()

    def ended(self) -> object:
        self.join(LONG_SECONDS)
        assert not self.is_alive()
        return self.outcome

    @property
    def environment(self) -> Environment:
        environment = self.ended()
        assert isinstance(environment, Environment)
        return environment

    def leave(self) -> None:
        self.stop.set()
        assert isinstance(self.ended(), Cancelled)


def ensures(environments: Environments, declaration: Declaration) -> Visitor:
    """A request that has joined the build: it has heard that the build began."""
    visitor = Visitor(partial(environments.ensure, declaration, OWN))
    assert visitor.begun.wait(LONG_SECONDS)
    return visitor


def flights() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "recto-flight"]


def test_thirty_requests_share_one_build_and_each_holds_the_environment(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    visitors = [ensures(environments, asks("polars")) for _ in range(30)]
    assert len(flights()) == 1
    gate.opened.set()
    given = [visitor.environment for visitor in visitors]

    assert len(house.resolver.requests) == len(house.builder.orders) == 1
    assert {environment.origin for environment in given} == {"built"}
    assert len({environment.keep_open for environment in given}) == 30
    for environment in given:
        assert house.store.prune(0).evicted == ()
        environment.close()
    assert house.store.prune(0).evicted == (given[0].key,)


def test_whoever_began_the_build_leaves_at_once_and_the_others_still_get_it(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    leader = ensures(environments, asks("polars"))
    others = [ensures(environments, asks("polars")) for _ in range(2)]
    leader.leave()
    assert not gate.opened.is_set()
    gate.opened.set()
    for other in others:
        other.environment.close()
    assert gate.cancelled == []
    assert len(house.builder.orders) == 1


def test_the_last_one_out_stops_the_build_and_leaves_nothing(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    first, last = ensures(environments, asks("polars")), ensures(environments, asks("polars"))
    first.leave()
    assert gate.cancelled == []
    last.leave()
    assert gate.cancelled == ["recto-flight"]
    assert house.published() == []
    assert house.leftovers() == []


def test_after_a_build_was_stopped_the_next_request_builds(house: House) -> None:
    house.builder.during = Gate()
    environments = house.environments()
    ensures(environments, asks("polars")).leave()
    house.builder.during = lambda progress, cancelled: None
    assert key_of(environments, asks("polars")) in house.published()
    assert len(house.builder.orders) == 2


def test_whoever_comes_while_a_build_is_being_stopped_gets_one_of_its_own(house: House) -> None:
    stopping, clean = threading.Event(), threading.Event()

    def slow_to_stop(progress: Progress, cancelled: Callable[[], bool]) -> None:
        try:
            Gate()(progress, cancelled)
        finally:
            stopping.set()
            clean.wait(LONG_SECONDS)

    house.builder.during = slow_to_stop
    environments = house.environments()
    first = ensures(environments, asks("polars"))
    first.stop.set()
    assert stopping.wait(LONG_SECONDS)
    house.builder.during = lambda progress, cancelled: None
    told = threading.Event()
    second = Visitor(lambda progress, _: environments.ensure(asks("polars"), OWN, lambda event: told.set()))
    assert told.wait(LONG_SECONDS)
    assert first.is_alive()
    clean.set()
    assert isinstance(first.ended(), Cancelled)
    with second.environment as environment:
        assert environment.origin == "built"
    assert len(house.builder.orders) == 2


def test_an_error_reaches_every_caller_as_its_own(house: House) -> None:
    gate = house.builder.during = Gate()
    house.builder.failing = [problem("proof-kernel", reason="the kernel died")]
    environments = house.environments()
    visitors = [ensures(environments, asks("polars")) for _ in range(5)]
    gate.opened.set()
    errors = [visitor.ended() for visitor in visitors]
    assert len({id(error) for error in errors}) == 5
    for error in errors:
        assert isinstance(error, BuildError)
        assert error.raw == "the installer's text"
        assert [found.code for found in error.problems] == ["proof-kernel"]
    assert len(house.builder.orders) == 1


def test_a_bug_reaches_whoever_asked(house: House) -> None:
    def bug(progress: Progress, cancelled: Callable[[], bool]) -> None:
        raise KeyError("x")

    house.builder.during = bug
    with pytest.raises(KeyError):
        house.environments().ensure(asks("polars"), OWN)
    assert house.published() == []


def test_a_bug_is_not_hidden_by_leaving(house: House) -> None:
    def bug_when_stopped(progress: Progress, cancelled: Callable[[], bool]) -> None:
        with pytest.raises(Cancelled):
            Gate()(progress, cancelled)
        raise KeyError("x")

    house.builder.during = bug_when_stopped
    with pytest.raises(KeyError):
        house.environments().ensure(asks("polars"), OWN, cancelled=lambda: True)


def test_every_caller_is_told_on_its_own_thread(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    first, second = ensures(environments, asks("polars")), ensures(environments, asks("polars"))
    gate.opened.set()
    for visitor in (first, second):
        visitor.environment.close()
        assert visitor.told_on == {visitor}
    assert [event.event for event in first.told] == ["resolving", "installing", "ready"]
    assert [event.event for event in second.told] == ["installing", "ready"]
    assert first.told[1] == Event("installing", "begun", 1, 2, "packages")


def test_a_caller_whose_progress_fails_leaves_the_build_to_the_others(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    other = ensures(environments, asks("polars"))

    def broken(event: Event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        environments.ensure(asks("polars"), OWN, broken)
    gate.opened.set()
    other.environment.close()
    assert len(house.builder.orders) == 1


def test_a_caller_whose_progress_fails_alone_stops_the_build(house: House) -> None:
    gate = house.builder.during = Gate()

    def broken(event: Event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        house.environments().ensure(asks("polars"), OWN, broken)
    assert house.published() == []
    assert house.leftovers() == []
    assert flights() == []
    assert len(gate.cancelled) == len(house.builder.orders)


def test_an_interrupt_stops_the_build_of_whoever_is_alone(house: House) -> None:
    gate = house.builder.during = Gate()

    def interrupted(event: Event) -> None:
        if event.message == "begun":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.environments().ensure(asks("polars"), OWN, interrupted)
    assert gate.cancelled == ["recto-flight"]
    assert house.published() == []
    assert house.leftovers() == []


def test_projects_that_ask_for_the_same_on_other_lines_share_the_build(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    one = ensures(environments, asks("polars"))
    elsewhere = Declaration(tuple(replace(d, source=Source("paper.qmd", 7)) for d in asks("polars").requirements))
    other = ensures(environments, elsewhere)
    gate.opened.set()
    with one.environment as first, other.environment as second:
        assert first.key == second.key
    assert len(house.builder.orders) == 1


def test_projects_that_ask_for_the_same_on_other_lines_are_each_told_of_their_own(house: House) -> None:
    asking = threading.Barrier(2, timeout=LONG_SECONDS)
    elsewhere = Declaration(tuple(replace(d, source=Source("paper.qmd", 7)) for d in asks("polrs").requirements))
    environments = house.environments()

    def visit(declaration: Declaration) -> Visitor:
        def call(progress: Progress, cancelled: Callable[[], bool]) -> object:
            asking.wait()
            return environments.ensure(declaration, OWN, progress, cancelled)

        return Visitor(call)

    sources = []
    for visitor in (visit(asks("polrs")), visit(elsewhere)):
        error = visitor.ended()
        assert isinstance(error, ResolveError)
        sources.append(error.problems[0].source)
    assert sources == [Source("requirements.txt", 1), Source("paper.qmd", 7)]


def test_two_updates_at_once_are_one_resolution(house: House) -> None:
    environments = house.environments()
    before = key_of(environments, asks("polars"))
    house.resolver.available["polars"] = "3.0"
    gate = house.builder.during = Gate()
    visitors = [Visitor(partial(environments.update, asks("polars"), OWN)) for _ in range(2)]
    assert all(visitor.begun.wait(LONG_SECONDS) for visitor in visitors)
    gate.opened.set()
    updates = [visitor.ended() for visitor in visitors]
    house.store.remove(before)
    for update in updates:
        assert isinstance(update, Update)
        assert update.before == before
        assert update.moved == (("polars", "2.1.0", "3.0"),)
        assert house.store.prune(0).evicted == ()
        update.close()
    assert len(house.resolver.requests) == len(house.builder.orders) == 2


def test_an_update_that_waited_for_another_process_takes_its_resolution(house: House) -> None:
    before = key_of(house.environments(), asks("polars"))
    house.resolver.available["polars"] = "3.0"
    gate = house.builder.during = Gate()
    updates = []
    for _ in range(2):
        # As another process would: it has flights of its own.
        updates.append(Visitor(partial(house.environments().update, asks("polars"), OWN)))
        assert updates[-1].begun.wait(LONG_SECONDS)
    gate.opened.set()
    for visitor in updates:
        update = visitor.ended()
        assert isinstance(update, Update)
        assert update.before == before
        assert update.moved == (("polars", "2.1.0", "3.0"),)
        update.close()
    assert len(house.resolver.requests) == len(house.builder.orders) == 2
    house.resolver.available["polars"] = "4.0"
    with house.environments().update(asks("polars"), OWN).environment:
        assert len(house.resolver.requests) == 3


def test_an_update_that_waited_for_a_build_resolves_anew(house: House) -> None:
    gate = house.builder.during = Gate()
    building = ensures(house.environments(), asks("polars"))
    updating = Visitor(partial(house.environments().update, asks("polars"), OWN))
    assert updating.begun.wait(LONG_SECONDS)
    house.resolver.available["polars"] = "3.0"
    gate.opened.set()
    building.environment.close()
    update = updating.ended()
    assert isinstance(update, Update)
    update.close()
    assert len(house.resolver.requests) == 2


def test_checks_and_builds_at_once_are_one_resolution(house: House) -> None:
    gate = house.builder.during = Gate()
    environments = house.environments()
    building = ensures(environments, asks("polars"))
    checking = Visitor(partial(environments.check, asks("polars"), OWN, True))
    assert checking.begun.wait(LONG_SECONDS)
    gate.opened.set()
    building.environment.close()
    checked = checking.ended()
    assert isinstance(checked, Checked)
    assert checked.state == "ready"
    assert len(house.resolver.requests) == 1


def test_a_hit_starts_no_thread(house: House) -> None:
    environments = house.environments()
    ran: set[int] = set()
    threading.setprofile(lambda *_: ran.add(threading.get_ident()))
    try:
        key_of(environments, asks("polars"))
        for flight in flights():
            flight.join(LONG_SECONDS)
        # The flight, and the builder that prepares beside the resolution.
        assert len(ran) == 2
        ran.clear()
        key_of(environments, asks("polars"))
        assert ran == set()
    finally:
        threading.setprofile(None)
