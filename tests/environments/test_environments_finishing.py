"""An environment is in use before its bytecode is finished, and nothing that happens meanwhile leaves it unfinished."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import OWN, House, asks, key_of

from recto.environments.finishing import MUTEX, Finishing
from recto.interpreters import Base
from recto.keys import EnvironmentKey
from recto.problems import BaseError, problem

BYTECODE = {"polars": "0" * 32}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.builder.lacking = BYTECODE
    yield house
    assert house.leftovers() == []


def test_a_build_without_bytecode_is_marked_and_somebody_is_called(house: House) -> None:
    key = key_of(house.environments(), asks("polars"))
    assert house.store.unfinished() == [key]
    assert house.called == ["finish"]


def test_a_build_with_all_its_bytecode_calls_nobody(house: House) -> None:
    house.builder.lacking = {}
    key_of(house.environments(), asks("polars"))
    assert house.store.unfinished() == []
    assert house.called == []


def test_finishing_gives_what_lacks_and_ends_the_mark(house: House) -> None:
    environments = house.environments()
    key_of(environments, asks("polars"))
    before = house.store.room().used_bytes
    assert house.finishing.run() == 1
    assert house.finisher.finished == [BYTECODE]
    assert house.store.unfinished() == []
    after = house.store.room().used_bytes
    assert before is not None
    assert after == before + 4096
    assert house.finishing.run() == 0


def test_a_hit_calls_again_while_an_environment_is_unfinished(house: House) -> None:
    environments = house.environments()
    key_of(environments, asks("polars"))
    # The one that was called is killed: nothing happens.
    key_of(environments, asks("polars"))
    assert house.called == ["finish", "finish"]
    house.finishing.run()
    key_of(environments, asks("polars"))
    assert house.called == ["finish", "finish"]


def test_the_mark_of_an_environment_that_is_gone_ends(house: House) -> None:
    key = key_of(house.environments(), asks("polars"))
    house.store.remove(key)
    assert house.finishing.run() == 0
    assert house.finisher.finished == []
    assert house.store.unfinished() == []


def test_an_environment_that_goes_meanwhile_is_left_alone(house: House) -> None:
    key = key_of(house.environments(), asks("polars"))

    def evict() -> None:
        house.store.remove(key)

    house.finisher.during = evict
    house.finishing.run()
    assert house.finisher.finished == []
    assert house.store.unfinished() == []


def test_a_mark_made_before_publishing_waits_for_its_builder(house: House) -> None:
    key = EnvironmentKey("1" * 32)
    house.store.mark_unfinished(key, {"base": "/", "bytecode": BYTECODE})
    with house.store.mutex(key.digest, wait_seconds=0.0):
        assert house.finishing.run() == 0
        assert house.store.is_unfinished(key)
    # Nobody builds it any more.
    assert house.finishing.run() == 0
    assert not house.store.is_unfinished(key)


def test_one_process_finishes_at_a_time_and_the_other_leaves_it_to_it(house: House) -> None:
    key_of(house.environments(), asks("polars"))
    with house.store.mutex(MUTEX, wait_seconds=0.0):
        assert house.finishing.run() == 0
    assert house.finishing.run() == 1


def test_what_comes_while_another_finishes_is_finished_by_it(house: House) -> None:
    environments = house.environments()
    key_of(environments, asks("polars"))
    house.builder.lacking = {"altair": "1" * 32}

    def build_another() -> None:
        if not house.finisher.finished:
            key_of(environments, asks("altair"))

    house.finisher.during = build_another
    assert house.finishing.run() == 2
    assert house.finisher.finished == [BYTECODE, {"altair": "1" * 32}]


def test_who_waits_for_another_finisher_comes_after_it(house: House) -> None:
    key_of(house.environments(), asks("polars"))
    begun, go_on = threading.Event(), threading.Event()

    def take_long() -> None:
        begun.set()
        go_on.wait()

    house.finisher.during = take_long
    counts: list[int] = []
    first = threading.Thread(target=lambda: counts.append(house.finishing.run()))
    first.start()
    begun.wait()
    second = threading.Thread(target=lambda: counts.append(house.finishing.run(wait_seconds=60.0)))
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert sorted(counts) == [0, 1]
    assert house.finisher.finished == [BYTECODE]


def test_a_failure_is_told_and_not_tried_again_by_itself(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    house.finisher.failing = [problem("install-failed", reason="compiling bytecode: no space")]
    assert house.finishing.run() == 0
    assert list(house.store.unfinishable()) == [key.digest]
    assert "no space" in house.store.unfinishable()[key.digest]
    assert house.store.unfinished() == []
    house.called.clear()
    key_of(environments, asks("polars"))
    assert house.called == []


def test_a_base_that_is_gone_is_such_a_failure(house: House) -> None:
    key_of(house.environments(), asks("polars"))

    def missing(python: Path) -> Base:
        raise BaseError(problem("base-missing", path=python))

    assert Finishing(house.store, house.finisher, missing).run() == 0
    assert len(house.store.unfinishable()) == 1


@pytest.mark.parametrize("text", ["", "{", '{"written_at": 1, "value": {}}', '{"written_at": 1, "value": {"base": 3}}'])
def test_a_mark_that_cannot_be_read_stops_nothing(text: str, house: House) -> None:
    key = key_of(house.environments(), asks("polars"))
    (house.data / "v1" / "unfinished" / key.digest).write_text(text)
    assert house.finishing.run() == 0
    assert house.store.unfinished() == []


def test_an_environment_that_is_built_again_after_a_failure_is_no_longer_told_of(house: House) -> None:
    environments = house.environments()
    key = key_of(environments, asks("polars"))
    house.finisher.failing = [problem("install-failed", reason="no space")]
    house.finishing.run()
    house.store.remove(key)
    house.finisher.failing = []
    key_of(environments, asks("polars"))
    assert house.finishing.run() == 1
    assert house.store.unfinishable() == {}


def test_a_visitor_who_may_not_install_finds_nothing_to_finish(house: House) -> None:
    with house.environments().ensure(asks("polars"), OWN) as environment:
        assert environment.origin == "built"
    assert house.called == ["finish"]
