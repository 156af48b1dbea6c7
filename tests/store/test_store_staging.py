"""Staging: built aside, published by one rename, read-only ever after."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stored import START, Clock, fill, key, names, publish, whole

from recto.problems import StoreError
from recto.store import Lease, Miss, Store
from recto.store.trees import delete

pytest_plugins = ("store_fixtures",)


def test_the_place_to_build_in_has_a_parent_and_is_not_there_yet(store: Store) -> None:
    with store.stage(key(1)) as staging:
        assert staging.directory.parent.is_dir()
        assert not staging.directory.exists()


def test_what_was_not_published_is_not_leased_and_leaves_nothing(store: Store, data: Path) -> None:
    with store.stage(key(1)) as staging:
        fill(staging.directory)

    assert isinstance(store.lease(key(1)), Miss)
    assert names(data / "v1" / "staging") == []


def test_an_error_of_the_builder_passes_through_and_leaves_nothing(store: Store, data: Path) -> None:
    def build() -> None:
        with store.stage(key(1)) as staging:
            fill(staging.directory)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build()

    assert names(data / "v1" / "staging") == []
    assert names(data / "v1" / "envs") == []


def test_a_published_environment_is_whole_leased_and_leaves_no_staging(store: Store, data: Path) -> None:
    with publish(store, 1) as lease:
        assert whole(lease.path)
        assert lease.path == data / "v1" / "envs" / str(key(1))
        assert store.find(str(key(1))).in_use
    assert names(data / "v1" / "staging") == []


def test_the_manifest_says_what_it_is_when_it_was_published_and_how_large(store: Store, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.write_bytes(b"s" * 40_960)
    with publish(store, 1, payload_bytes=81_920, shared=shared) as lease:
        manifest = json.loads((lease.path / "recto.json").read_text())

    assert manifest["number"] == 1
    assert manifest["key"] == str(key(1))
    assert manifest["published_at"] == START
    assert manifest["own_bytes"] >= 81_920
    assert manifest["bytes"] == manifest["own_bytes"] + 40_960


def test_files_of_ours_come_into_the_sealed_tree_read_only_and_are_counted(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("before")
    with store.stage(key(1)) as staging:
        fill(staging.directory)
        (staging.directory / "build.log").symlink_to(outside)
        weight = staging.seal()
        assert stat.S_IMODE((staging.directory / "lib" / "deep").stat().st_mode) == 0o555
        staging.write("build.log", "x" * 8192)
        lease = staging.publish({"number": 1})
    with lease:
        written = lease.path / "build.log"
        manifest = json.loads((lease.path / "recto.json").read_text())
        assert outside.read_text() == "before"
        assert stat.S_IMODE(written.lstat().st_mode) == 0o444
        assert written.read_text() == "x" * 8192
        assert manifest["own_bytes"] == weight.own_bytes + written.lstat().st_blocks * 512
        assert manifest["bytes"] == weight.bytes + written.lstat().st_blocks * 512


def test_the_store_tells_what_it_has_without_a_lease(store: Store) -> None:
    assert not store.has(key(1))
    assert isinstance(store.manifest(key(1)), Miss)

    publish(store, 1).close()
    manifest = store.manifest(key(1))
    assert store.has(key(1))
    assert not isinstance(manifest, Miss)
    assert manifest["number"] == 1


def test_everything_in_it_is_read_only_and_nothing_outside_is_touched(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    outside.chmod(0o640)
    with store.stage(key(1)) as staging:
        fill(staging.directory)
        (staging.directory / "lib" / "link").symlink_to(outside)
        lease = staging.publish({})

    with lease:
        modes = {
            path.relative_to(lease.path).as_posix(): stat.S_IMODE(path.lstat().st_mode)
            for path in [lease.path, *lease.path.rglob("*")]
            if not path.is_symlink()
        }
    assert modes == {
        ".": 0o555,
        "bin": 0o555,
        "bin/python": 0o555,
        "lib": 0o555,
        "lib/deep": 0o555,
        "lib/deep/payload": 0o444,
        "recto.json": 0o444,
    }
    assert stat.S_IMODE(outside.stat().st_mode) == 0o640


def test_a_manifest_planted_by_a_package_is_replaced_and_never_followed(store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with store.stage(key(1)) as staging:
        fill(staging.directory)
        (staging.directory / "recto.json").symlink_to(victim)
        lease = staging.publish({"real": True})

    with lease:
        assert json.loads((lease.path / "recto.json").read_text())["real"] is True
    assert victim.read_text() == "mine"


def test_whoever_publishes_second_gets_the_first_and_discards_its_own(store: Store, data: Path) -> None:
    with store.stage(key(1)) as one, store.stage(key(1)) as two:
        fill(one.directory)
        fill(two.directory)
        (two.directory / "second").touch()
        first, second = one.publish({"by": 1}), two.publish({"by": 2})

    with first, second:
        assert os.fstat(first.fileno()).st_ino == os.fstat(second.fileno()).st_ino
        assert not (second.path / "second").exists()
        assert store.find(str(key(1))).manifest["by"] == 1
    assert names(data / "v1" / "staging") == []


def test_an_environment_can_be_published_again_after_it_was_removed(store: Store) -> None:
    publish(store, 1).close()
    store.remove(key(1))

    with publish(store, 1) as lease:
        assert whole(lease.path)


def test_a_top_directory_that_a_crash_left_writable_is_read_only_after_the_next_lease(store: Store) -> None:
    lease = publish(store, 1)
    lease.path.chmod(0o755)
    lease.close()

    again = store.lease(key(1))
    assert isinstance(again, Lease)
    with again:
        assert stat.S_IMODE(again.path.stat().st_mode) == 0o555


def test_publishing_what_was_never_built_is_refused_and_leaves_nothing(store: Store, data: Path) -> None:
    with store.stage(key(1)) as staging, pytest.raises(StoreError):
        staging.publish({})

    assert names(data / "v1" / "envs") == names(data / "v1" / "staging") == []


def test_the_publisher_marks_the_environment_as_used(store: Store, clock: Clock) -> None:
    clock.now = START + 7
    publish(store, 1).close()

    assert store.find(str(key(1))).last_used == START + 7


def test_what_strangers_name_and_nest_as_they_like_is_sealed_and_deleted(store: Store) -> None:
    """Names that are no text, a directory that nobody may enter, and a nesting longer than a path may be."""
    with store.stage(key(1)) as staging:
        staging.directory.mkdir()
        (staging.directory / os.fsdecode(b"\xff\n-rf")).write_bytes(b"x")
        (staging.directory / "shut").mkdir()
        (staging.directory / "shut" / "file").touch()
        (staging.directory / "shut").chmod(0)
        below = os.open(staging.directory, os.O_RDONLY)
        for _ in range(2500):
            os.mkdir("d", dir_fd=below)
            above, below = below, os.open("d", os.O_RDONLY, dir_fd=below)
            os.close(above)
        assert len(str(staging.directory)) + 2 * 2500 > os.pathconf("/", "PC_PATH_MAX")
        lease = staging.publish({})
    with lease:
        assert stat.S_IMODE(os.fstat(below).st_mode) == 0o555
    os.close(below)

    assert store.remove(key(1)) > 2500 * 4096


def test_a_tree_that_cannot_be_deleted_leaves_no_descriptor_open(store: Store, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    before = len(names(Path("/proc/self/fd")))
    (tree / "a" / "b" / "unmovable").touch()

    with pytest.raises(PermissionError), immutable(tree / "a" / "b"):
        delete(tree)
    assert len(names(Path("/proc/self/fd"))) == before


@contextmanager
def immutable(directory: Path) -> Iterator[None]:
    """Keeps everybody, root too, from deleting what is in the directory."""
    if subprocess.run(["chattr", "+i", directory], capture_output=True, check=False).returncode:
        pytest.skip("this user, or this file system, makes nothing immutable")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", directory], check=True)
