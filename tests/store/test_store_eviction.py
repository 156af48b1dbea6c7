"""Eviction: the least recently used goes first, what is held or pinned stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from stored import START, Clock, key, names, publish, watched

from recto.problems import StoreError
from recto.store import Lease, Miss, Options, Store

pytest_plugins = ("store_fixtures",)

# Each environment of these tests has a payload of this many bytes and some small files.
PAYLOAD = 1_000_000


def keys(store: Store) -> list[int]:
    return sorted(int(str(entry.key)[:8], 16) for entry in store.environments())


def fill_store(store: Store, clock: Clock, count: int, payload_bytes: int = PAYLOAD) -> None:
    for number in range(1, count + 1):
        clock.now = START + number
        publish(store, number, payload_bytes).close()


def use(store: Store, number: int) -> Lease:
    lease = store.lease(key(number))
    assert isinstance(lease, Lease)
    return lease


def sweeper_of(directory: Path) -> Callable[[], int]:
    """A sweeper that deletes files which nothing else links to."""

    def sweep() -> int:
        loose = [path for path in directory.iterdir() if path.stat().st_nlink == 1]
        freed = sum(path.stat().st_blocks * 512 for path in loose)
        for path in loose:
            path.unlink()
        return freed

    return sweep


def test_a_store_within_its_budget_loses_nothing(store: Store, clock: Clock) -> None:
    fill_store(store, clock, 3)

    pruned = store.prune()
    assert (pruned.evicted, pruned.freed_bytes, pruned.leftovers, pruned.stuck) == ((), 0, 0, 0)
    assert keys(store) == [1, 2, 3]


def test_the_least_recently_used_go_first_and_no_more_than_must(store: Store, clock: Clock) -> None:
    fill_store(store, clock, 5)
    clock.now = START + 100
    use(store, 1).close()

    pruned = store.prune(3 * PAYLOAD + PAYLOAD // 2)

    assert pruned.evicted == (key(2), key(3))
    assert pruned.freed_bytes >= 2 * PAYLOAD
    assert keys(store) == [1, 4, 5]
    assert store.usage().total_bytes <= 3 * PAYLOAD + PAYLOAD // 2


def test_what_is_leased_stays_and_goes_when_it_is_free(store: Store, clock: Clock) -> None:
    fill_store(store, clock, 3)
    with use(store, 1):
        assert store.prune(0).evicted == (key(2), key(3))
        assert keys(store) == [1]

    assert store.prune(0).evicted == (key(1),)


def test_what_is_pinned_stays_until_it_is_unpinned(store: Store, clock: Clock) -> None:
    fill_store(store, clock, 2)
    store.pin(key(1))
    assert store.prune(0).evicted == (key(2),)
    assert store.find(str(key(1))).pinned

    store.unpin(key(1))
    assert not store.find(str(key(1))).pinned
    assert store.prune(0).evicted == (key(1),)


def test_removing_by_name_takes_the_pin_along(store: Store, data: Path) -> None:
    publish(store, 1).close()
    store.pin(key(1))
    store.remove(key(1))

    assert names(data / "v1" / "pins") == []
    publish(store, 1).close()
    assert not store.find(str(key(1))).pinned


@pytest.mark.makes("environment-unknown")
def test_an_environment_that_is_not_there_can_be_neither_pinned_nor_removed(store: Store, data: Path) -> None:
    for act in (store.pin, store.remove):
        with pytest.raises(StoreError) as caught:
            act(key(1))
        assert caught.value.problems[0].code == "environment-unknown"
    assert names(data / "v1" / "pins") == []


def test_a_clock_that_was_set_back_spoils_the_order_and_nothing_else(store: Store, clock: Clock) -> None:
    fill_store(store, clock, 3)
    clock.now = START - 86_400
    held = use(store, 3)
    publish(store, 4, PAYLOAD).close()

    with held:
        assert store.prune(2 * PAYLOAD + PAYLOAD // 2).evicted == (key(4), key(1))
        assert keys(store) == [2, 3]


def test_what_was_used_since_the_store_was_read_is_not_evicted(data: Path, options: Options, clock: Clock) -> None:
    """A lease that came and went while the pass was at another environment counts."""
    store = Store.open(data, options, clock)
    fill_store(store, clock, 2)

    def use_the_second(step: str) -> None:
        if step == "evict-renamed":
            clock.now = START + 50
            use(store, 2).close()

    Store(data, options, clock, use_the_second).prune(0)
    assert keys(store) == [2]


def test_an_environment_pinned_while_the_pass_runs_stays(data: Path, options: Options, clock: Clock) -> None:
    store = Store.open(data, options, clock)
    fill_store(store, clock, 2)

    def pin_the_second(step: str) -> None:
        if step == "evict-renamed":
            (data / "v1" / "pins" / str(key(2))).touch()

    Store(data, options, clock, pin_the_second).prune(0)
    assert keys(store) == [2]


def test_an_environment_without_a_legible_manifest_counts_and_can_go(store: Store, clock: Clock) -> None:
    fill_store(store, clock, 2)
    manifest = store.find(str(key(1))).path / "recto.json"
    manifest.chmod(0o644)
    manifest.write_text("{")

    entry = store.find(str(key(1)))
    assert entry.manifest == {}
    assert entry.bytes >= PAYLOAD
    assert store.prune(PAYLOAD + PAYLOAD // 2).evicted == (key(1),)


def test_shared_files_are_freed_by_the_sweeper_once_nothing_else_links_to_them(
    data: Path, options: Options, clock: Clock
) -> None:
    """Two pairs of environments share two wheels; getting below three megabytes takes one pair and its wheel."""
    wheels = data / "v1" / "cache"
    store = Store.open(data, options, clock, sweepers=(sweeper_of(wheels),))
    for number, wheel in ((1, "a"), (2, "a"), (3, "b"), (4, "b")):
        if not (wheels / wheel).exists():
            (wheels / wheel).write_bytes(b"w" * 2 * PAYLOAD)
        clock.now = START + number
        publish(store, number, 10_000, wheels / wheel).close()

    assert store.prune(3 * PAYLOAD).evicted == (key(1), key(2))
    assert names(wheels) == ["b"]
    assert keys(store) == [3, 4]


def test_what_nobody_uses_goes_before_any_environment(data: Path, options: Options, clock: Clock) -> None:
    wheels = data / "v1" / "cache"
    store = Store.open(data, options, clock, sweepers=(sweeper_of(wheels),))
    fill_store(store, clock, 2)
    (wheels / "unused").write_bytes(b"w" * PAYLOAD)

    pruned = store.prune(2 * PAYLOAD + PAYLOAD // 2)
    assert (pruned.evicted, names(wheels)) == ((), [])
    assert pruned.freed_bytes >= PAYLOAD


def test_wheels_that_nobody_uses_stay_while_there_is_room(data: Path, options: Options) -> None:
    wheels = data / "v1" / "cache"
    store = Store.open(data, options, sweepers=(sweeper_of(wheels),))
    (wheels / "unused").write_bytes(b"w" * PAYLOAD)

    store.prune()
    assert names(wheels) == ["unused"]


def test_the_free_space_floor_evicts_whatever_the_budget_says(data: Path, options: Options, clock: Clock) -> None:
    store = Store.open(data, options, clock)
    fill_store(store, clock, 2)
    more_than_the_volume = os.statvfs(data).f_blocks * os.statvfs(data).f_frsize + 1
    floor = Options(options.budget_bytes, free_floor_bytes=more_than_the_volume)

    assert Store(data, floor, clock).prune().evicted == (key(1), key(2))


def test_of_a_thousand_environments_just_those_too_many_go(store: Store, clock: Clock, data: Path) -> None:
    """Made by hand, as publishing would leave them, so that the test takes its time in the pass."""
    make_by_hand(data, 1000)
    used = store.audit().usage.counted_bytes

    pruned = store.prune(used - 100 * EACH + EACH // 2)

    assert pruned.evicted == tuple(key(number) for number in range(100))
    assert pruned.freed_bytes == 100 * EACH
    assert len(keys(store)) == 900
    assert names(data / "v1" / "trash") == []
    assert store.audit().mended_bytes == 0


def test_a_pass_reads_nothing_of_the_environments_that_stay(store: Store, data: Path) -> None:
    make_by_hand(data, 20)
    used = store.audit().usage.counted_bytes

    with watched() as seen:
        assert store.prune(used - 3 * EACH).evicted == (key(0), key(1), key(2))

    stayed = [str(key(number)) for number in range(3, 20)]
    assert not [path for _, path in seen if any(name in path for name in stayed)]
    listed = [path.removeprefix(f"{data}/v1/") for event, path in seen if event == "list"]
    assert listed.count("envs") == 1
    assert {"cache", "bytecode", "base"} & set(listed) == set()


# A directory with a manifest: two blocks of the usual file systems.
EACH = 8192


def make_by_hand(data: Path, count: int) -> None:
    for number in range(count):
        directory = data / "v1" / "envs" / str(key(number))
        directory.mkdir()
        (directory / "recto.json").write_text('{"bytes": 4096, "own_bytes": 4096}')
        os.utime(directory, (START + number, START + number))
    assert sum(path.lstat().st_blocks * 512 for path in (directory, directory / "recto.json")) == EACH


def test_a_tree_nested_nearly_as_deeply_as_paths_go_is_published_and_evicted(store: Store) -> None:
    with store.stage(key(1)) as staging:
        directory = staging.directory
        directory.mkdir()
        while len(str(directory)) < 4000:
            directory /= "d"
            directory.mkdir()
        staging.publish({}).close()

    assert store.remove(key(1)) > 1500 * 4096


def test_a_key_is_found_by_its_beginning_if_no_other_begins_so(store: Store) -> None:
    publish(store, 0x10).close()
    with pytest.raises(StoreError):
        store.find("")
    publish(store, 0x11).close()

    assert store.find("00000010").key == key(0x10)
    for prefix in ("0000001", "f", "", "../", str(key(0x12))):
        with pytest.raises(StoreError) as caught:
            store.find(prefix)
        assert caught.value.problems[0].code == "environment-unknown"


def test_what_the_store_did_not_name_it_leaves_alone(store: Store, data: Path) -> None:
    stranger = data / "v1" / "envs" / "lost+found"
    stranger.mkdir()
    publish(store, 1).close()

    assert keys(store) == [1]
    assert store.prune(0).evicted == (key(1),)
    assert stranger.is_dir()
    assert isinstance(store.lease(key(1)), Miss)
