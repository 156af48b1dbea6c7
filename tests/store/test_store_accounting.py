"""Accounting: what is used, what is promised, what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stored import START, Clock, fill, key, names, publish

from recto.problems import StoreError
from recto.store import Options, Store
from recto.store.trees import delete

pytest_plugins = ("store_fixtures",)

MB = 1_000_000


def small(data: Path, budget_bytes: int, clock: Clock) -> Store:
    return Store.open(data, Options(budget_bytes, free_floor_bytes=0), clock)


def allocated(path: Path) -> int:
    return path.lstat().st_blocks * 512


def test_an_environment_weighs_what_its_files_and_directories_allocate(store: Store) -> None:
    with publish(store, 1, 3 * MB) as lease:
        manifest = lease.path / "recto.json"
        files = sum(allocated(path) for path in [lease.path, *lease.path.rglob("*")]) - allocated(manifest)
        assert store.find(str(key(1))).bytes == files
        assert store.usage().buckets["environments"] == files + allocated(manifest)


def test_hard_links_are_counted_once_where_they_are_kept(store: Store) -> None:
    empty = store.usage()
    wheel = store.cache / "wheel"
    wheel.write_bytes(b"w" * MB)
    for number in range(5):
        publish(store, number, 100, wheel).close()

    usage = store.usage()
    assert usage.environments == 5
    assert usage.buckets["cache"] - empty.buckets["cache"] == allocated(wheel)
    assert usage.buckets["environments"] - empty.buckets["environments"] < MB
    assert usage.total_bytes == sum(usage.buckets.values())
    assert store.find(str(key(1))).bytes >= MB > store.find(str(key(1))).own_bytes


def test_holes_in_a_file_do_not_count(store: Store) -> None:
    with store.stage(key(1)) as staging:
        fill(staging.directory)
        with (staging.directory / "hole").open("wb") as file:
            file.truncate(500 * MB)
        staging.publish({}).close()

    assert store.find(str(key(1))).bytes < MB


def test_a_reservation_keeps_its_room_until_it_ends(data: Path, clock: Clock) -> None:
    one, two = small(data, 10 * MB, clock), small(data, 10 * MB, clock)
    with one.reserve(6 * MB):
        with pytest.raises(StoreError) as caught, two.reserve(6 * MB):
            pytest.fail("the same bytes were promised twice")
        with two.reserve(3 * MB):
            assert len(names(data / "v1" / "reservations")) == 2
    with two.reserve(6 * MB):
        pass

    assert caught.value.problems[0].code == "store-full"
    assert names(data / "v1" / "reservations") == []


def test_the_reservation_of_another_living_process_counts_and_that_of_a_dead_one_does_not(
    data: Path, clock: Clock
) -> None:
    store = small(data, 10 * MB, clock)
    program = f"""
import sys
from pathlib import Path
from recto.store import Options, Store
from recto.store.trees import delete
with Store(Path({str(data)!r}), Options({10 * MB}, 0)).reserve({6 * MB}):
    print("reserved", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == b"reserved\n"
        with pytest.raises(StoreError), store.reserve(6 * MB):
            pytest.fail("the same bytes were promised twice")
        builder.kill()
        builder.wait()
        with store.reserve(6 * MB):
            assert len(names(data / "v1" / "reservations")) == 1


def test_nothing_is_evicted_for_the_reservation_of_a_dead_process(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    store.prune()
    publish(store, 1, 3 * MB).close()
    (data / "v1" / "reservations" / f"{5 * MB}-dead").touch()

    with store.reserve(5 * MB):
        assert len(list(store.environments())) == 1
        assert len(names(data / "v1" / "reservations")) == 1


def test_deleting_tells_apart_what_is_freed_and_what_has_one_link_left(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("tree", "other", "cache"):
        (tmp_path / name).mkdir()
    (tree / "own").write_bytes(b"o" * MB)
    (tree / "own-too").hardlink_to(tree / "own")
    for name, size, others in (("wheel", 2 * MB, ["cache"]), ("shared", 4 * MB, ["cache", "other"])):
        (tree / name).write_bytes(b"w" * size)
        for other in others:
            (tmp_path / other / name).hardlink_to(tree / name)
    expected = allocated(tree / "own") + allocated(tree), allocated(tree / "wheel")

    deleted = delete(tree)

    assert (deleted.freed_bytes, deleted.released_bytes) == expected
    assert names(tmp_path) == ["cache", "other"]


def test_a_ledger_that_is_lost_during_a_count_does_not_end_below_the_count(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    publish(store, 1, MB).close()
    publish(store, 2, 6 * MB).close()
    store.pin(key(2))

    def lose_the_ledger(step: str) -> None:
        if step == "evict-renamed":
            (data / "v1" / "ledger.json").unlink()

    Store(data, Options(10 * MB, 0), clock, lose_the_ledger).prune(0)
    with pytest.raises(StoreError), store.reserve(6 * MB):
        pytest.fail("the same bytes were used twice")


def test_a_reservation_evicts_what_was_not_used_for_longest(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    for number in range(3):
        clock.now = START + number
        publish(store, number, 3 * MB).close()

    with store.reserve(3 * MB):
        assert sorted(entry.key for entry in store.environments()) == [key(1), key(2)]


def test_room_that_is_there_is_given_without_evicting(data: Path, clock: Clock) -> None:
    """Environments that share a wheel are each entered without it."""
    store = small(data, 10 * MB, clock)
    wheel = store.cache / "wheel"
    wheel.write_bytes(b"w" * 4 * MB)
    for number in range(4):
        publish(store, number, 1000, wheel).close()

    with store.reserve(4 * MB):
        assert len(list(store.environments())) == 4


@pytest.mark.makes("store-full")
def test_what_cannot_go_makes_the_store_full(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    publish(store, 1, 4 * MB).close()
    store.pin(key(1))
    with publish(store, 2, 4 * MB), pytest.raises(StoreError) as caught, store.reserve(3 * MB):
        pytest.fail("there is no room")

    assert caught.value.problems[0].code == "store-full"
    assert "3 MB" in caught.value.problems[0].message
    assert [entry.key for entry in store.environments() if entry.pinned] == [key(1)]


def test_more_than_the_whole_budget_is_refused_and_nothing_goes_for_it(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    publish(store, 1, MB).close()
    with pytest.raises(StoreError), store.reserve(11 * MB):
        pytest.fail("more than the budget was promised")

    assert len(list(store.environments())) == 1


def test_the_floor_of_the_volume_refuses_whatever_the_budget_says(data: Path, clock: Clock) -> None:
    store = Store.open(data, Options(budget_bytes=10**18, free_floor_bytes=0), clock)
    with pytest.raises(StoreError) as caught, store.reserve(10**17):
        pytest.fail("more than the volume was promised")

    assert caught.value.problems[0].code == "store-full"


@pytest.mark.parametrize("content", [None, "{", '{"written_at": 0, "value": {"counted": "x"}}'])
def test_a_lost_ledger_is_counted_anew(data: Path, clock: Clock, content: str | None) -> None:
    store = small(data, 10 * MB, clock)
    publish(store, 1, 6 * MB).close()
    store.pin(key(1))
    ledger = data / "v1" / "ledger.json"
    ledger.unlink()
    if content is not None:
        ledger.write_text(content)

    with pytest.raises(StoreError), store.reserve(6 * MB):
        pytest.fail("the same bytes were used twice")
    with store.reserve(3 * MB):
        pass


def test_what_is_published_while_the_store_is_counted_is_not_forgotten(data: Path, clock: Clock) -> None:
    """The pass evicts the first; meanwhile six megabytes are published, which it did not see."""
    store = small(data, 10 * MB, clock)
    publish(store, 1, MB).close()

    def publish_more(step: str) -> None:
        if step == "evict-renamed":
            publish(store, 2, 6 * MB).close()
            store.pin(key(2))

    Store(data, Options(10 * MB, 0), clock, publish_more).prune(0)
    with pytest.raises(StoreError), store.reserve(6 * MB):
        pytest.fail("what was published meanwhile was forgotten")


def test_bytes_that_are_written_beside_environments_count_once_they_are_told(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    store.prune()
    (store.bytecode / "compiled").write_bytes(b"c" * 6 * MB)
    store.grow(6 * MB)

    with pytest.raises(StoreError), store.reserve(6 * MB):
        pytest.fail("the same bytes were used twice")
    with pytest.raises(ValueError, match="nothing"):
        store.grow(-1)


def test_what_came_new_into_the_cache_with_a_build_counts_once_it_is_told(data: Path, clock: Clock) -> None:
    store = small(data, 10 * MB, clock)
    store.prune()
    wheel = store.cache / "wheel"
    wheel.write_bytes(b"w" * 6 * MB)
    with store.stage(key(1)) as staging:
        fill(staging.directory, 1000, wheel)
        staging.publish({}, shared_bytes=6 * MB).close()
    store.pin(key(1))

    with pytest.raises(StoreError), store.reserve(6 * MB):
        pytest.fail("the same bytes were used twice")
