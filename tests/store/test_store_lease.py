"""Leases: who holds one keeps the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stored import START, Clock, key, names, publish, whole

from recto.problems import StoreError
from recto.store import Lease, Miss, Store

pytest_plugins = ("store_fixtures",)


def test_a_published_environment_can_be_leased_many_times_at_once(store: Store) -> None:
    with publish(store, 1) as first:
        second, third = store.lease(key(1)), store.lease(key(1))

        assert isinstance(second, Lease)
        assert isinstance(third, Lease)
        assert second.path == third.path == first.path
        assert whole(first.path)
        second.close()
        third.close()


def test_an_environment_that_was_never_published_is_a_miss(store: Store) -> None:
    assert store.lease(key(1)) == Miss(f"there is no environment {key(1)}")


def test_a_store_that_was_never_opened_has_only_misses_and_makes_no_directory(tmp_path: Path) -> None:
    store = Store(tmp_path / "absent")

    assert isinstance(store.lease(key(1)), Miss)
    assert list(store.environments()) == []
    assert names(tmp_path) == []


@pytest.mark.makes("environment-in-use")
def test_a_leased_environment_cannot_be_removed_and_a_freed_one_can(store: Store) -> None:
    lease = publish(store, 1)
    with pytest.raises(StoreError) as caught:
        store.remove(key(1))
    assert caught.value.problems[0].code == "environment-in-use"
    assert whole(lease.path)

    lease.close()
    assert store.remove(key(1)) >= 10_000
    assert not lease.path.exists()


def test_leasing_marks_the_environment_as_used_now(store: Store, clock: Clock) -> None:
    publish(store, 1).close()
    clock.now = START + 500.5
    leased(store, 1).close()

    assert store.find(str(key(1))).last_used == START + 500.5


def test_a_closed_lease_has_no_descriptor_and_closes_again_quietly(store: Store) -> None:
    lease = publish(store, 1)
    lease.close()
    lease.close()

    with pytest.raises(ValueError, match="closed"):
        lease.fileno()


def test_a_lease_that_nobody_closed_ends_with_its_last_reference_and_says_so(store: Store) -> None:
    lease = publish(store, 1)
    with pytest.warns(ResourceWarning, match="never closed"):
        del lease

    assert not store.find(str(key(1))).in_use


def test_a_child_that_inherits_the_descriptor_keeps_the_lease_after_its_parent_died(store: Store, data: Path) -> None:
    """The parent leases, starts a child with the descriptor, and dies; the child lives until its input is closed."""
    publish(store, 1).close()
    parent = f"""
import os, subprocess, sys
from pathlib import Path
from recto.keys import EnvironmentKey
from recto.store import Store
lease = Store(Path({str(data)!r})).lease(EnvironmentKey({str(key(1))!r}))
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], pass_fds=[lease.fileno()])
os.kill(os.getpid(), 9)
"""
    reader, writer = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", parent], stdin=reader, stdout=subprocess.PIPE)
    os.close(reader)
    assert process.wait() == -9

    with pytest.raises(StoreError):
        store.remove(key(1))

    os.close(writer)
    # The grandchild has our pipe as its output: when that ends, it has gone.
    assert process.stdout is not None
    assert process.stdout.read() == b""
    process.stdout.close()
    assert store.remove(key(1)) > 0


def test_a_child_that_inherits_nothing_keeps_nothing(store: Store) -> None:
    lease = publish(store, 1)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True) as child:
        lease.close()
        assert store.remove(key(1)) > 0
        child.communicate("\n")


def test_a_lease_waits_out_who_only_looks_whether_the_environment_is_in_use(store: Store) -> None:
    publish(store, 1).close()
    look = f"""
import select, sys
from pathlib import Path
from recto.store import Store
entry = Store(Path({str(store.cache.parent.parent)!r})).find({str(key(1))!r})
print("looking", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    entry.in_use
"""
    with subprocess.Popen(
        [sys.executable, "-c", look], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as looker:
        assert looker.stdout is not None
        looker.stdout.readline()
        for _ in range(300):
            leased(store, 1).close()
        looker.communicate("\n")


def test_a_link_in_place_of_an_environment_is_a_miss(store: Store, data: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (data / "v1" / "envs" / str(key(1))).symlink_to(tmp_path / "elsewhere")

    assert isinstance(store.lease(key(1)), Miss)


def test_a_lease_holds_the_directory_and_not_its_name(store: Store, data: Path) -> None:
    """Whoever opened the directory before it went to the trash gets no lease on what is there afterwards."""
    publish(store, 1).close()
    before = os.open(data / "v1" / "envs" / str(key(1)), os.O_RDONLY)
    store.remove(key(1))
    with publish(store, 1) as lease:
        assert os.fstat(before).st_ino != os.fstat(lease.fileno()).st_ino or os.fstat(before).st_nlink == 0
    os.close(before)


def leased(store: Store, number: int) -> Lease:
    lease = store.lease(key(number))
    assert isinstance(lease, Lease), lease
    return lease
