"""Trouble with the disk ends in problems, and leaves the store as it was."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest
from stored import Clock, fill, key, names, publish, whole

from recto.keys import SpecKey
from recto.problems import StoreError
from recto.store import Miss, Options, Record, Store

pytest_plugins = ("store_fixtures",)

SPEC = SpecKey("5" * 32)
NOBODY = 65534


@pytest.fixture
def tiny_volume(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 kB."""
    volume = tmp_path / "volume"
    volume.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(volume)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield volume
    subprocess.run(["umount", str(volume)], check=True)


def fill_up(volume: Path) -> Path:
    """The file that leaves no room on the volume."""
    path = volume / "filler"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(b"f" * 4096)
    return path


def code_of(caught: pytest.ExceptionInfo[StoreError]) -> str:
    return caught.value.problems[0].code


def test_a_new_store_has_its_directories_and_says_what_it_is(store: Store, data: Path) -> None:
    assert {"envs", "specs", "locks", "staging", "trash", "README"} <= set(names(data / "v1"))
    assert "recto env prune" in (data / "v1" / "README").read_text()
    for directory in (store.cache, store.bytecode, store.base):
        assert directory.is_dir()


@pytest.mark.makes("data-dir-unwritable")
@pytest.mark.parametrize("place", ["below-a-file", "proc"])
def test_a_directory_that_cannot_be_made_is_named_in_the_problem(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data" if place == "below-a-file" else Path("/proc/recto")
    with pytest.raises(StoreError) as caught:
        Store.open(data)

    assert code_of(caught) == "data-dir-unwritable"
    assert str(data) in caught.value.problems[0].message


def test_every_way_to_write_below_a_file_is_a_problem_and_never_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "data")
    for enter in (store.mutex("k", 0), store.stage(key(1)), store.reserve(1)):
        with pytest.raises(StoreError) as caught, enter:
            pytest.fail("a file became a directory")
        assert code_of(caught) == "data-dir-unwritable"
    for act in (
        store.prune,
        store.usage,
        store.room,
        store.audit,
        lambda: store.put_spec(SPEC, {}),
        lambda: store.lease(key(1)),
    ):
        with pytest.raises(StoreError) as caught:
            act()
        assert code_of(caught) == "data-dir-unwritable"


def test_a_full_disk_refuses_a_record_and_keeps_the_old_one(tiny_volume: Path) -> None:
    store = Store.open(tiny_volume)
    store.put_spec(SPEC, {"old": True})
    with pytest.raises(StoreError) as caught:
        store.put_spec(SPEC, {"new": "x" * 1_000_000})

    assert code_of(caught) == "disk-full"
    record = store.spec(SPEC)
    assert isinstance(record, Record)
    assert record.value == {"old": True}
    assert names(tiny_volume / "v1" / "staging") == []


def test_a_full_disk_fails_the_publishing_and_nothing_is_leased(tiny_volume: Path) -> None:
    store = Store.open(tiny_volume)
    with store.stage(key(1)) as staging:
        fill(staging.directory)
        with pytest.raises(StoreError) as caught:
            staging.publish({"log": "x" * 1_000_000})

    assert code_of(caught) == "disk-full"
    assert isinstance(store.lease(key(1)), Miss)
    assert names(tiny_volume / "v1" / "staging") == []
    publish(store, 1).close()


def test_a_full_disk_makes_the_ledger_a_miss_and_not_a_lie(tiny_volume: Path) -> None:
    store = Store.open(tiny_volume, Options(free_floor_bytes=0))
    with store.reserve(0):
        assert store.room().used_bytes is not None
    filler = fill_up(tiny_volume)
    with pytest.raises(StoreError) as caught:
        store.grow(1)

    assert code_of(caught) == "disk-full"
    assert store.room().used_bytes is None
    filler.unlink()
    with store.reserve(0):
        assert store.room().used_bytes == store.usage().counted_bytes


def test_room_is_asked_of_the_volume_before_a_build(tiny_volume: Path) -> None:
    store = Store.open(tiny_volume, Options(free_floor_bytes=100_000))
    with store.reserve(200_000), pytest.raises(StoreError) as caught, store.reserve(250_000):
        pytest.fail("more than the volume was promised")
    assert code_of(caught) == "store-full"


def live_as_nobody(data: Path) -> None:
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    store = Store.open(data, Options(free_floor_bytes=0), Clock())
    with publish(store, 1) as lease:
        assert whole(lease.path)
        with pytest.raises(PermissionError):
            (lease.path / "more").touch()
        with pytest.raises(PermissionError):
            (lease.path / "lib" / "deep" / "payload").write_text("")
    again = store.lease(key(1))
    assert not isinstance(again, Miss)
    again.close()
    publish(store, 2).close()
    assert store.remove(key(2)) > 0
    assert store.prune(0).evicted == (key(1),)
    assert names(data / "v1" / "envs") == names(data / "v1" / "trash") == []


def test_a_user_without_special_rights_publishes_leases_and_evicts() -> None:
    """Read-only trees stop their owner, but not root: moving and deleting them takes more care than root notices."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user; the other tests have run as an ordinary one")
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, NOBODY, NOBODY)
        child = get_context("fork").Process(target=live_as_nobody, args=(Path(directory),))
        child.start()
        child.join()
        assert child.exitcode == 0


def test_a_disk_that_may_not_be_read_is_a_problem_not_a_miss() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can make what another user may not read")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o700)
        Store.open(Path(directory))
        child = get_context("fork").Process(target=find_nothing_readable, args=(Path(directory),))
        child.start()
        child.join()
        assert child.exitcode == 0


def find_nothing_readable(data: Path) -> None:
    os.setuid(NOBODY)
    for act in (lambda: Store(data).lease(key(1)), lambda: Store(data).spec(SPEC)):
        with pytest.raises(StoreError) as caught:
            act()
        assert code_of(caught) == "data-dir-unwritable"


def test_what_is_only_remembered_and_may_not_be_read_is_a_miss_and_is_named() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can make what another user may not read")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        store = Store.open(Path(directory))
        store.put_failure(SPEC, {}, 600)
        store.put_document("paper", None, {})
        for record in (*(Path(directory) / "v1" / "failures").iterdir(), *(Path(directory) / "v1/documents").iterdir()):
            record.chmod(0o600)
        child = get_context("fork").Process(target=remember_nothing, args=(Path(directory),))
        child.start()
        child.join()
        assert child.exitcode == 0


def remember_nothing(data: Path) -> None:
    os.setuid(NOBODY)
    store = Store(data)
    assert isinstance(store.failure(SPEC), Miss)
    assert isinstance(store.document("paper"), Miss)
    memory = store.memory()
    assert [(one.count, one.oldest) for one in memory.values()] == [(0, None), (0, None)]
    assert memory["failures"].illegible == (f"{SPEC}.json: permission denied",)
    assert memory["documents"].illegible == ("paper.json: permission denied",)
