"""What the store remembers of failures and documents, counted, and how many documents there may be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stored import START, Clock, key, names, publish

from recto.keys import SpecKey
from recto.store import Miss, Store
from recto.store.documents import DOCUMENTS_MAX

pytest_plugins = ("store_fixtures",)


def spec(number: int) -> SpecKey:
    return SpecKey(f"{number:032x}")


def test_nothing_is_remembered_by_a_store_that_was_only_made(store: Store) -> None:
    assert {name: (one.count, one.oldest, one.illegible) for name, one in store.memory().items()} == {
        "failures": (0, None, ()),
        "documents": (0, None, ()),
    }


def test_failures_that_count_are_counted_and_the_oldest_is_dated(store: Store, clock: Clock) -> None:
    store.put_failure(spec(1), {}, 60)
    clock.now += 30
    store.put_failure(spec(2), {}, 60)
    store.put_failure(spec(3), {}, 600)
    assert (store.memory()["failures"].count, store.memory()["failures"].oldest) == (3, START)
    clock.now += 59
    assert (store.memory()["failures"].count, store.memory()["failures"].oldest) == (2, START + 30)
    assert store.memory()["failures"].illegible == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not legible"),
        (b'{"written_at": 1, "value": {"until"', "is not legible"),
        (b"\xff\xfe\x00", "is not legible"),
        (b"[]", "is not an object"),
        (b'{"written_at": "now", "value": {}}', "is not a record"),
        (b'{"written_at": 1, "value": {}}', "it is not"),
    ],
)
def test_what_is_no_record_is_a_miss_and_named_and_swept(store: Store, data: Path, content: bytes, reason: str) -> None:
    store.put_failure(spec(1), {}, 600)
    store.put_document("paper", None, {})
    (data / "v1" / "failures" / f"{spec(2)}.json").write_bytes(content)
    (data / "v1" / "documents" / "other.json").write_bytes(content)
    for one in store.memory().values():
        assert one.count == 1
        assert len(one.illegible) == 1
        assert reason in one.illegible[0]
    store.prune()
    assert [(one.count, one.illegible) for one in store.memory().values()] == [(1, ()), (1, ())]


def test_a_document_of_the_base_alone_stays_and_one_of_an_environment_goes_with_it(store: Store, data: Path) -> None:
    publish(store, 1).close()
    store.put_document("with", key(1), {})
    store.put_document("without", None, {"declared": []})
    store.remove(key(1))
    store.prune()
    assert isinstance(store.document("with"), Miss)
    assert names(data / "v1" / "documents") == ["without.json"]


def test_of_too_many_documents_the_half_that_changed_longest_ago_goes(store: Store, data: Path) -> None:
    store.put_document("first", None, {})
    documents = data / "v1" / "documents"
    record = (documents / "first.json").read_bytes()
    for number in range(DOCUMENTS_MAX - 1):
        path = documents / f"{number}.json"
        path.write_bytes(record)
        os.utime(path, (START, START))
    store.put_document("first", None, {})
    assert len(names(documents)) == DOCUMENTS_MAX
    store.put_document("last", None, {})
    assert len(names(documents)) == DOCUMENTS_MAX // 2
    assert {"first.json", "last.json"} <= set(names(documents))
