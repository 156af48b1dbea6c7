"""Temporary directories and what is left of them, by processes that are really killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recto.sandbox.temporary import sweep, temporary

NOBODY = 59_998
OWN = frozenset({os.geteuid()})

# Holds a directory until it is killed; says where it is, and which process of its own outlives it.
HOLDER = """
import subprocess, sys
from pathlib import Path
from recto.sandbox.temporary import temporary
with temporary(Path(sys.argv[1])) as directory:
    (directory / "inner").mkdir()
    (directory / "inner" / "link").symlink_to(sys.argv[2])
    child = subprocess.Popen(["/bin/sleep", "600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    print(directory, child.pid, flush=True)
    sys.stdin.read()
"""

# Sweeps once, between two calls of whoever makes a directory: before it is opened, or before it is held.
SWEPT_EARLY = """
import os, sys
from pathlib import Path
from recto.sandbox.temporary import sweep, temporary
place, swept = Path(sys.argv[1]), []
def watch(event, arguments):
    if event == sys.argv[2] and not swept and list(place.iterdir()):
        swept.append(0)
        swept[0] = sweep({os.geteuid()}, place)
sys.addaudithook(watch)
with temporary(place) as directory:
    print(f"swept {swept[0]}, held {len(list(place.iterdir()))}")
"""


@contextmanager
def holder(parent: Path, outside: Path) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    argv = [sys.executable, "-c", HOLDER, str(parent), str(outside)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        directory, child = process.stdout.readline().rsplit(maxsplit=1)
        try:
            yield process, Path(directory), int(child)
        finally:
            process.kill()
            os.kill(int(child), 9)


def test_it_is_empty_and_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with temporary(tmp_path) as directory:
        assert list(directory.iterdir()) == []
        assert directory.stat().st_mode & 0o777 == 0o700
        (directory / "a" / "b").mkdir(parents=True)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_never_before(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    place = tmp_path / "tmp"
    place.mkdir()

    with holder(place, outside) as (process, directory, child):
        assert sweep(OWN, place) == 0
        assert (directory / "inner").is_dir()
        process.kill()
        process.wait()
        # A process that it started does not hold it.
        os.kill(child, 0)
        assert sweep(OWN, place) == 1

    assert list(place.iterdir()) == []
    assert [path.name for path in outside.iterdir()] == ["kept"]


@pytest.mark.parametrize("name", ["recto-held-short", "recto-held-Capitals", "recto-held-abcdefghi", "recto-abcdefgh"])
def test_a_name_that_is_not_ours_is_left(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    assert sweep(OWN, tmp_path) == 0
    assert (tmp_path / name).is_dir()


def test_neither_a_link_nor_a_file_of_our_name_is_touched(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").touch()
    place = tmp_path / "tmp"
    place.mkdir()
    (place / "recto-held-aaaaaaaa").symlink_to(target)
    (place / "recto-held-bbbbbbbb").write_text("words")

    assert sweep(OWN, place) == 0
    assert (target / "kept").exists()
    assert len(list(place.iterdir())) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_left_unless_its_user_is_named(tmp_path: Path) -> None:
    directory = tmp_path / "recto-held-aaaaaaaa"
    (directory / "inner").mkdir(parents=True)
    os.chown(directory, NOBODY, NOBODY)

    assert sweep(OWN, tmp_path) == 0
    assert (directory / "inner").is_dir()
    assert sweep({*OWN, NOBODY}, tmp_path) == 1
    assert not directory.exists()


def test_a_place_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert sweep(OWN, tmp_path / "absent") == 0


@pytest.mark.parametrize("moment", ["open", "fcntl.flock"])
def test_whoever_sweeps_before_it_is_held_makes_its_owner_take_another(tmp_path: Path, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", SWEPT_EARLY, str(tmp_path), moment], capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "swept 1, held 1\n", "")
    assert list(tmp_path.iterdir()) == []
