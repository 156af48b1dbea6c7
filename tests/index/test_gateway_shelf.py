"""The shelf by itself: what it counts while several threads use it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recto.index.shelf import Shelf


def put(shelf: Shelf, directory: Path, digest: str, content: bytes, note: str = "") -> None:
    path = directory / f"{digest}.coming"
    path.write_bytes(content)
    shelf.put(digest, path, note)


def test_changes_grow_with_what_comes_and_goes_and_not_with_what_is_used(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", 10)
    put(shelf, tmp_path, "aa1", b"12345", "one")
    assert shelf.changes == 1

    assert shelf.get("aa1") is not None
    put(shelf, tmp_path, "aa1", b"12345", "one")
    assert (shelf.changes, shelf.bytes) == (1, 5)

    put(shelf, tmp_path, "aa1", b"12345", "two")
    assert (shelf.changes, shelf.note("aa1")) == (2, "two")

    # The one that is put, and the one for which there is no room any more.
    put(shelf, tmp_path, "bb1", b"1234567890")
    assert (shelf.changes, shelf.bytes) == (4, 10)
    assert shelf.get("aa1") is None
    assert shelf.changes == 4


def test_what_somebody_else_took_away_is_a_change(tmp_path: Path) -> None:
    put(Shelf(tmp_path / "shelf", 10), tmp_path, "aa1", b"12345")
    # Found at the start, with a time of use that is old enough to be written anew.
    (path,) = (tmp_path / "shelf").glob("aa/*")
    os.utime(path, (0, 0))
    shelf = Shelf(tmp_path / "shelf", 10)
    before = shelf.changes
    path.unlink()

    assert shelf.get("aa1") is None
    assert (shelf.changes, shelf.bytes) == (before + 1, 0)


def test_threads_that_put_and_use_files_leave_the_count_of_what_is_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", 40)

    def work(turn: int) -> None:
        number = turn % 30
        coming = tmp_path / f"{turn}.coming"
        coming.write_bytes(b"x" * (number % 7))
        shelf.put(f"{number:04x}", coming)
        shelf.get(f"{(turn * 7) % 30:04x}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(600)))

    kept = [number for number in range(30) if shelf.note(f"{number:04x}") is not None]
    assert kept
    assert sum(number % 7 for number in kept) == shelf.bytes <= 40
