"""What no Recto put into the data directory harms nobody: desktop droppings, pipes, links, a file for a directory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stored import key, publish, whole

from recto.keys import SpecKey
from recto.store import Miss, Store

pytest_plugins = ("store_fixtures",)


def _link_to_nothing(path: Path) -> None:
    path.symlink_to("/nonexistent")


def _link_to_a_directory(path: Path) -> None:
    path.symlink_to("/usr")


STRANGERS = pytest.mark.parametrize(
    "lay", [Path.touch, os.mkfifo, _link_to_nothing, _link_to_a_directory], ids=["file", "pipe", "link", "directory"]
)


@STRANGERS
def test_what_lies_in_the_place_of_an_environment_is_a_miss_and_makes_way(
    store: Store, data: Path, lay: Callable[[Path], None]
) -> None:
    place = data / "v1" / "envs" / str(key(1))
    lay(place)

    assert isinstance(store.lease(key(1)), Miss)
    with publish(store, 1) as lease:
        assert lease.path == place
        assert whole(place)
        assert not place.is_symlink()


@STRANGERS
def test_what_is_no_directory_is_not_listed_as_an_environment(
    store: Store, data: Path, lay: Callable[[Path], None]
) -> None:
    publish(store, 1).close()
    lay(data / "v1" / "envs" / str(key(2)))

    assert [entry.key for entry in store.environments()] == [key(1)]
    assert store.prune(0).evicted == (key(1),)


def test_a_manifest_that_is_a_directory_leaves_the_environment_listed_and_evictable(store: Store, data: Path) -> None:
    publish(store, 1).close()
    environment = data / "v1" / "envs" / str(key(1))
    environment.chmod(0o755)
    (environment / "recto.json").unlink()
    (environment / "recto.json").mkdir()

    assert store.manifest(key(1)) == Miss("recto.json is a directory")
    (entry,) = store.environments()
    assert entry.bytes > 0
    assert store.prune(0).evicted == (key(1),)


def test_a_record_that_is_a_directory_is_a_miss(store: Store, data: Path) -> None:
    spec = SpecKey("5" * 32)
    (data / "v1" / "specs" / f"{spec}.json").mkdir()
    assert isinstance(store.spec(spec), Miss)


PRUNE_AND_RESERVE = """
import sys
from pathlib import Path
from recto.store import Options, Store
store = Store.open(Path(sys.argv[1]), Options(free_floor_bytes=0))
with store.reserve(1000), store.mutex("pipe", 1):
    store.prune()
"""


@pytest.mark.parametrize("directory", ["locks", "reservations", "staging", "trash"])
def test_nobody_waits_for_the_other_end_of_a_named_pipe(store: Store, data: Path, directory: str) -> None:
    store.prune()
    os.mkfifo(data / "v1" / directory / "pipe")

    # In a process of its own: one that waits in open(2) could not be told to stop.
    asked = subprocess.run([sys.executable, "-c", PRUNE_AND_RESERVE, str(data)], timeout=60, check=False)
    assert asked.returncode == 0
    assert not (data / "v1" / directory / "pipe").exists()
