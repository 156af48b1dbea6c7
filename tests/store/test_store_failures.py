"""Failures of specs: how long they count, what is taken for one, and how many there may be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stored import START, Clock, names

from recto.keys import SpecKey
from recto.store import Failure, Miss, Store
from recto.store.failures import FAILURES_MAX, SECONDS_MAX

pytest_plugins = ("store_fixtures",)

SPEC = SpecKey("5" * 32)


def spec(number: int) -> SpecKey:
    return SpecKey(f"{number:032x}")


def told(found: Failure | Miss) -> tuple[object, float, float]:
    """What was stored, how long ago, and how long it still counts."""
    assert isinstance(found, Failure)
    return found.value, found.age_seconds, found.left_seconds


@pytest.fixture
def failures(data: Path) -> Path:
    return data / "v1" / "failures"


def test_a_failure_counts_until_its_time_is_over(store: Store, clock: Clock) -> None:
    store.put_failure(SPEC, {"code": "no-wheel"}, 60)
    clock.now += 59
    assert told(store.failure(SPEC)) == ({"code": "no-wheel"}, 59, 1)
    clock.now += 1
    assert isinstance(store.failure(SPEC), Miss)


def test_a_later_failure_replaces_the_earlier(store: Store, clock: Clock) -> None:
    store.put_failure(SPEC, {"first": 1}, 60)
    clock.now += 30
    store.put_failure(SPEC, {"second": 2}, 10)
    assert told(store.failure(SPEC)) == ({"second": 2}, 0, 10)


def test_a_forgotten_failure_is_a_miss_and_forgetting_twice_is_nothing(store: Store) -> None:
    store.put_failure(SPEC, {}, 60)
    for _ in range(2):
        store.forget_failure(SPEC)
    assert isinstance(store.failure(SPEC), Miss)


def test_a_failure_is_forgotten_with_its_spec(store: Store) -> None:
    store.put_failure(SPEC, {}, 60)
    store.forget_spec(SPEC)
    assert isinstance(store.failure(SPEC), Miss)


def test_a_store_that_was_only_made_has_no_failures_and_no_directory_for_them(store: Store, failures: Path) -> None:
    assert isinstance(store.failure(SPEC), Miss)
    assert not failures.exists()
    assert store.prune().leftovers == 0


def test_a_clock_that_is_set_back_ends_failures(store: Store, clock: Clock) -> None:
    store.put_failure(SPEC, {}, 60)
    clock.now -= 1
    assert isinstance(store.failure(SPEC), Miss)


def test_no_failure_counts_longer_than_any_may(store: Store, clock: Clock) -> None:
    store.put_failure(SPEC, {}, 1e12)
    clock.now += SECONDS_MAX - 1
    assert told(store.failure(SPEC)) == ({}, SECONDS_MAX - 1, 1)
    clock.now += 1
    assert isinstance(store.failure(SPEC), Miss)


def record(written_at: object = START, until: object = START + 60, failure: object = None) -> bytes:
    value = {"until": until, "failure": {} if failure is None else failure}
    return json.dumps({"written_at": written_at, "value": value}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"written_at": 1, "value": {}}',
        record(failure=[1]),
        record(until="tomorrow"),
        record(until=None),
        record(until=float("nan")),
        record(written_at=float("nan")),
        record(until=float("inf")),
        record(written_at=-1e18),
        record(written_at=10**400),
        record(until=START + SECONDS_MAX + 1),
        record(written_at=START + 1),
        record(until=START),
    ],
)
def test_what_is_no_failure_or_none_that_could_count_is_a_miss_and_can_be_replaced(
    store: Store, failures: Path, content: bytes
) -> None:
    failures.mkdir()
    (failures / f"{SPEC}.json").write_bytes(content)
    assert isinstance(store.failure(SPEC), Miss)
    store.put_failure(SPEC, {"well": True}, 60)
    assert told(store.failure(SPEC)) == ({"well": True}, 0, 60)


def test_a_record_that_would_count_is_one(store: Store, failures: Path) -> None:
    # So that the rubbish above is a miss for what is wrong with it.
    failures.mkdir()
    (failures / f"{SPEC}.json").write_bytes(record())
    assert told(store.failure(SPEC)) == ({}, 0, 60)


def test_a_directory_in_the_place_of_a_failure_is_a_miss_and_in_nobodys_way(store: Store, failures: Path) -> None:
    (failures / f"{SPEC}.json" / "x").mkdir(parents=True)
    assert isinstance(store.failure(SPEC), Miss)
    store.forget_failure(SPEC)
    assert store.prune().stuck == 0


def test_pruning_deletes_what_does_not_count_any_more_and_what_is_illegible(
    store: Store, clock: Clock, failures: Path
) -> None:
    store.put_failure(spec(1), {}, 60)
    store.put_failure(spec(2), {}, 600)
    (failures / f"{spec(3)}.json").write_bytes(b"{")
    clock.now += 60
    store.prune()
    assert names(failures) == [f"{spec(2)}.json"]


def test_failures_do_not_grow_without_bound(store: Store, failures: Path) -> None:
    failures.mkdir()
    for number in range(FAILURES_MAX - 1):
        (failures / f"{spec(number)}.json").write_bytes(record())
    store.put_failure(spec(FAILURES_MAX), {}, 60)
    assert len(names(failures)) == FAILURES_MAX
    store.put_failure(SPEC, {}, 60)
    assert len(names(failures)) == FAILURES_MAX // 2
    assert isinstance(store.failure(SPEC), Failure)


def test_what_does_not_count_any_more_goes_before_what_does(store: Store, clock: Clock, failures: Path) -> None:
    store.put_failure(SPEC, {}, 600)
    for number in range(FAILURES_MAX):
        (failures / f"{spec(number)}.json").write_bytes(record())
    clock.now += 60
    store.put_failure(spec(FAILURES_MAX), {}, 60)
    assert names(failures) == sorted([f"{spec(FAILURES_MAX)}.json", f"{SPEC}.json"])


def test_a_value_that_is_not_json_leaves_the_old_failure_and_no_trace(store: Store, data: Path) -> None:
    store.put_failure(SPEC, {"good": 1}, 60)
    with pytest.raises(TypeError):
        store.put_failure(SPEC, {"bad": object()}, 60)
    assert told(store.failure(SPEC)) == ({"good": 1}, 0, 60)
    assert names(data / "v1" / "staging") == []
