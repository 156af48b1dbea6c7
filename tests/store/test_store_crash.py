"""Crashes: a process killed between any two steps leaves nothing to repair."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stored import Clock, key, names, publish, whole

from recto.store import FAILPOINTS, Lease, Miss, Options, Store
from recto.store.failpoints import EVICTING, PUBLISHING

pytest_plugins = ("store_fixtures",)

PUBLISH = "publish(store, 1).close()"
EVICT = "store.prune(0)"
REMOVE = "store.remove(key(1))"

# Everything below is free of what processes leave behind.
TIDY = ("staging", "trash", "locks", "reservations")


def killed_at(data: Path, step: str, act: str) -> None:
    """Runs `act` in a process that kills itself at the step."""
    program = f"""
import os, signal
from pathlib import Path
from stored import key, publish
from recto.store import Options, Store
def die(step):
    if step == {step!r}:
        os.kill(os.getpid(), signal.SIGKILL)
store = Store(Path({str(data)!r}), Options(free_floor_bytes=0), failpoint=die)
with store.reserve(1000), store.mutex("k", 0):
    {act}
"""
    search = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": search}, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def ask(store: Store) -> Lease:
    """What every request does: lease, or build and publish."""
    lease = store.lease(key(1))
    return lease if isinstance(lease, Lease) else publish(store, 1)


def assert_tidy(data: Path) -> None:
    assert {name: names(data / "v1" / name) for name in TIDY} == {name: [] for name in TIDY}


@pytest.mark.parametrize("step", PUBLISHING)
def test_a_publisher_killed_at_any_step_leaves_nothing_or_a_whole_environment(
    store: Store, data: Path, step: str
) -> None:
    killed_at(data, step, PUBLISH)

    seen = store.lease(key(1))
    assert isinstance(seen, Lease) == (step in ("renamed", "settled", "counted"))
    if isinstance(seen, Lease):
        with seen:
            assert whole(seen.path)
            assert store.find(str(key(1))).manifest["number"] == 1
    with ask(store) as lease, store.mutex("k", 0):
        assert whole(lease.path)
    store.prune()
    assert_tidy(data)
    assert names(data / "v1" / "envs") == [str(key(1))]


@pytest.mark.parametrize("act", [EVICT, REMOVE], ids=["evicting", "removing"])
@pytest.mark.parametrize("step", EVICTING)
def test_an_evictor_killed_at_any_step_leaves_nothing_or_a_whole_environment(
    store: Store, data: Path, step: str, act: str
) -> None:
    publish(store, 1).close()
    killed_at(data, step, act)

    seen = store.lease(key(1))
    assert isinstance(seen, Lease) == (step in ("evict-locked", "evict-writable"))
    if isinstance(seen, Lease):
        with seen:
            assert whole(seen.path)
    with ask(store) as lease, store.mutex("k", 0):
        assert whole(lease.path)
        assert lease.path.stat().st_mode & 0o222 == 0
    store.prune()
    assert_tidy(data)
    assert names(data / "v1" / "envs") == [str(key(1))]


def test_every_step_is_one_of_publishing_or_evicting_and_is_passed_in_this_order(
    data: Path, options: Options, clock: Clock
) -> None:
    passed: list[str] = []
    store = Store.open(data, options, clock, passed.append)
    publish(store, 1).close()
    store.prune(0)

    assert tuple(passed) == FAILPOINTS


def test_a_killed_builder_leaves_its_area_to_the_next_pruning_and_a_living_one_keeps_it(
    store: Store, data: Path
) -> None:
    killed_at(data, "staged", PUBLISH)
    with store.stage(key(2)) as staging:
        staging.directory.mkdir()
        pruned = store.prune()

        assert pruned.leftovers == 3  # its area, its mutex, its reservation
        assert staging.directory.is_dir()
        assert len(names(data / "v1" / "staging")) == 1


def test_a_leftover_that_cannot_be_deleted_is_reported_and_stops_nothing(store: Store, data: Path) -> None:
    """A mount point cannot be removed, not even by root."""
    stuck = data / "v1" / "trash" / "stuck"
    (stuck / "mounted").mkdir(parents=True)
    loose = data / "v1" / "trash" / "loose"
    loose.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(stuck / "mounted")], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a file system")
    try:
        pruned = store.prune()
        assert (pruned.leftovers, pruned.stuck) == (1, 1)
        assert names(data / "v1" / "trash") == ["stuck"]
    finally:
        subprocess.run(["umount", str(stuck / "mounted")], check=True)
    assert store.prune().leftovers == 1


def test_a_stranger_in_the_lock_directory_keeps_nobody_out(store: Store, data: Path) -> None:
    (data / "v1" / "locks" / "k").touch()
    with store.mutex("k", 0):
        pass
    assert isinstance(store.lease(key(1)), Miss)
    assert os.listdir(data / "v1" / "locks") == []  # noqa: PTH208
