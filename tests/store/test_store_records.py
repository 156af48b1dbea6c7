"""Records: written whole, read or missed."""

from __future__ import annotations

from pathlib import Path

import pytest
from stored import START, Clock, names

from recto.keys import LineageKey, SpecKey
from recto.store import Miss, Record, Store

pytest_plugins = ("store_fixtures",)

SPEC = SpecKey("5" * 32)
LINEAGE = LineageKey("7" * 32)


def test_a_record_comes_back_with_the_time_it_was_written(store: Store) -> None:
    store.put_spec(SPEC, {"environment": "ab", "lock": {"packages": [1, 2]}})

    assert store.spec(SPEC) == Record({"environment": "ab", "lock": {"packages": [1, 2]}}, START)


def test_a_later_record_replaces_the_earlier(store: Store, clock: Clock) -> None:
    store.put_lineage(LINEAGE, {"lock": "old"})
    clock.now += 60
    store.put_lineage(LINEAGE, {"lock": "new"})

    assert store.lineage(LINEAGE) == Record({"lock": "new"}, START + 60)


def test_specs_resolutions_and_lineages_are_kept_apart(store: Store) -> None:
    store.put_spec(SpecKey("1" * 32), {"is": "spec"})
    store.put_resolution(SpecKey("1" * 32), {"is": "resolution"})

    assert store.spec(SpecKey("1" * 32)) == Record({"is": "spec"}, START)
    assert store.resolution(SpecKey("1" * 32)) == Record({"is": "resolution"}, START)
    assert isinstance(store.lineage(LineageKey("1" * 32)), Miss)


def test_a_resolution_is_forgotten_with_its_spec(store: Store) -> None:
    store.put_resolution(SPEC, {})
    store.forget_spec(SPEC)

    assert isinstance(store.resolution(SPEC), Miss)


def test_a_record_that_was_never_written_is_a_miss_with_a_reason(store: Store) -> None:
    assert store.spec(SPEC) == Miss(f"{SPEC}.json is not there")


def test_a_forgotten_record_is_a_miss_and_forgetting_twice_is_nothing(store: Store) -> None:
    store.put_spec(SPEC, {})
    store.put_lineage(LINEAGE, {})
    for _ in range(2):
        store.forget_spec(SPEC)
        store.forget_lineage(LINEAGE)

    assert isinstance(store.spec(SPEC), Miss)
    assert isinstance(store.lineage(LINEAGE), Miss)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"written_at": 1}',
        b'{"written_at": 1, "value": 2}',
        b"[" * 99999,
    ],
    ids=["empty", "cut", "not-text", "list", "null", "bare", "no-value", "wrong-value", "nested"],
)
def test_a_corrupt_record_is_a_miss_and_can_be_replaced(store: Store, data: Path, content: bytes) -> None:
    (data / "v1" / "specs" / f"{SPEC}.json").write_bytes(content)

    assert isinstance(store.spec(SPEC), Miss)
    store.put_spec(SPEC, {"well": True})
    assert isinstance(store.spec(SPEC), Record)


def test_a_value_that_is_not_json_leaves_the_old_record_and_no_trace(store: Store, data: Path) -> None:
    store.put_spec(SPEC, {"good": 1})

    with pytest.raises(TypeError):
        store.put_spec(SPEC, {"bad": object()})

    assert store.spec(SPEC) == Record({"good": 1}, START)
    assert names(data / "v1" / "staging") == []
