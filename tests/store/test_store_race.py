"""Races: many processes at once, one environment."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from stored import key, names, publish, whole

from recto.problems import StoreError
from recto.store import Lease, Options, Store
from recto.store.holds import EXCLUSIVE, hold

pytest_plugins = ("store_fixtures",)

PROCESSES = 30
ROOMY = Options(free_floor_bytes=0)


def ask(data: Path, start: Barrier, answer: Connection, end: Barrier) -> None:
    """Check, lock, check, build: as every request does. Answers whether it built, and which directory it leased."""
    store = Store(data, ROOMY)
    start.wait()
    lease, built = store.lease(key(1)), False
    if not isinstance(lease, Lease):
        with store.mutex(str(key(1)), 120):
            lease = store.lease(key(1))
            if not isinstance(lease, Lease):
                lease, built = publish(store, 1), True
    with lease:
        answer.send((built, os.fstat(lease.fileno()).st_ino, whole(lease.path)))
        end.wait()


def publish_without_mutex(data: Path, start: Barrier, answer: Connection, end: Barrier) -> None:
    store = Store(data, ROOMY)
    start.wait()
    with publish(store, 1) as lease:
        answer.send((True, os.fstat(lease.fileno()).st_ino, whole(lease.path)))
        end.wait()


def lease_and_evict(data: Path, start: Barrier, answer: Connection, end: Barrier) -> None:
    """Asks, checks that what is leased is whole, lets go, and removes it, again and again."""
    store = Store(data, ROOMY)
    torn = 0
    start.wait()
    for _ in range(15):
        lease = store.lease(key(1))
        with lease if isinstance(lease, Lease) else publish(store, 1) as held:
            torn += not whole(held.path)
        # In use by another, or gone already.
        with suppress(StoreError):
            store.remove(key(1))
    answer.send((False, torn, True))
    end.wait()


def take_turns(data: Path, start: Barrier, answer: Connection, end: Barrier) -> None:
    """Holds a file that each holder deletes, as mutexes do; a marker shows whether two are ever inside at once."""
    path, marker = data / "turn", data / "inside"
    turns = met = 0
    start.wait()
    while turns < 500:
        try:
            descriptor = hold(path, EXCLUSIVE, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            continue
        if descriptor is None:
            continue
        turns += 1
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            met += 1
        marker.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        os.close(descriptor)
    answer.send((False, met, True))
    end.wait()


def run(target: object, data: Path, processes: int) -> tuple[list[tuple[bool, int, bool]], list[int | None]]:
    context = multiprocessing.get_context("fork")
    start, end = context.Barrier(processes), context.Barrier(processes)
    children, answers = [], []
    for _ in range(processes):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=target, args=(data, start, theirs, end))  # type: ignore[arg-type]
        child.start()
        theirs.close()
        children.append(child)
        answers.append(ours)
    received = [answer.recv() for answer in answers]
    for child, answer in zip(children, answers, strict=True):
        child.join()
        answer.close()
    return received, [child.exitcode for child in children]


def test_two_never_hold_one_name_though_its_file_comes_and_goes(store: Store, data: Path) -> None:
    received, codes = run(take_turns, data, 4)

    assert codes == [0] * 4
    assert [met for _, met, _ in received] == [0] * 4


def test_of_thirty_who_ask_at_once_one_builds_and_all_lease_what_it_built(store: Store, data: Path) -> None:
    received, codes = run(ask, data, PROCESSES)

    assert codes == [0] * PROCESSES
    assert [built for built, _, _ in received].count(True) == 1
    assert len({inode for _, inode, _ in received}) == 1
    assert all(is_whole for _, _, is_whole in received)
    assert len(names(data / "v1" / "envs")) == 1
    assert names(data / "v1" / "staging") == names(data / "v1" / "locks") == []


def test_of_many_who_publish_one_key_at_once_all_lease_the_first(store: Store, data: Path) -> None:
    received, codes = run(publish_without_mutex, data, 10)

    assert codes == [0] * 10
    assert len({inode for _, inode, _ in received}) == 1
    assert all(is_whole for _, _, is_whole in received)
    assert names(data / "v1" / "staging") == []


def test_what_is_leased_is_whole_while_others_evict_and_publish_without_end(store: Store, data: Path) -> None:
    received, codes = run(lease_and_evict, data, 6)

    assert codes == [0] * 6
    assert [torn for _, torn, _ in received] == [0] * 6
    assert names(data / "v1" / "staging") == names(data / "v1" / "trash") == []
