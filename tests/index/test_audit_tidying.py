"""What was put aside: compressed, kept for its time, readable at each step between."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path

import pytest

from audited import NOON, entry
from recto.index.audit import Foreign, entries
from recto.index.audit.entry import line
from recto.index.audit.files import Aside, put_aside
from recto.index.audit.tidying import tidy

PLENTY = 10**9


def aside(directory: Path, number: int, days_ago: float = 0) -> Aside:
    """A file of one entry with that number, put aside then."""
    at = NOON - timedelta(days=days_ago)
    name = at.strftime(f"audit-%Y-%m-%dT%H-%M-%SZ-{number:06}.jsonl")
    (directory / name).write_bytes(line(entry(request=str(number))))
    return Aside(number, at, directory / name)


def numbers(directory: Path) -> list[int]:
    foreign: list[Foreign] = []
    found = [int(one.request) for one in entries(directory, foreign=foreign.append)]
    assert foreign == []
    return found


def test_what_was_put_aside_is_compressed(tmp_path: Path) -> None:
    file = aside(tmp_path, 1)
    before = file.plain.read_bytes()
    tidy(tmp_path, 90, PLENTY, NOON)
    assert not file.plain.exists()
    assert gzip.decompress(file.zipped.read_bytes()) == before


def test_what_is_older_than_its_days_is_deleted(tmp_path: Path) -> None:
    for number, days in enumerate((40, 31, 29, 1), 1):
        aside(tmp_path, number, days)
    tidy(tmp_path, 30, PLENTY, NOON)
    assert numbers(tmp_path) == [3, 4]


def test_the_oldest_are_deleted_where_all_take_too_much(tmp_path: Path) -> None:
    for number in range(1, 6):
        aside(tmp_path, number)
    tidy(tmp_path, 30, PLENTY, NOON)
    sizes = [file.bytes() for file in put_aside(tmp_path)]
    tidy(tmp_path, 30, sum(sizes[-2:]), NOON)
    assert numbers(tmp_path) == [4, 5]


def test_a_number_goes_on_after_the_newest(tmp_path: Path) -> None:
    for number in (7, 12):
        aside(tmp_path, number)
    tidy(tmp_path, 30, PLENTY, NOON)
    assert Aside.next(tmp_path, NOON).plain.name == "audit-2026-11-26T12-00-00Z-000013.jsonl"


def test_a_kill_before_the_compressed_file_is_whole_leaves_the_plain_one(tmp_path: Path) -> None:
    file = aside(tmp_path, 1)
    part = tmp_path / f"{file.zipped.name}.part"
    part.write_bytes(gzip.compress(file.plain.read_bytes())[:-10])
    assert numbers(tmp_path) == [1]
    tidy(tmp_path, 30, PLENTY, NOON)
    assert not part.exists()
    assert numbers(tmp_path) == [1]


def test_a_kill_before_the_plain_file_is_deleted_doubles_no_line(tmp_path: Path) -> None:
    file = aside(tmp_path, 1)
    file.zipped.write_bytes(gzip.compress(file.plain.read_bytes()))
    assert numbers(tmp_path) == [1]
    tidy(tmp_path, 30, PLENTY, NOON)
    assert not file.plain.exists()
    assert numbers(tmp_path) == [1]


@pytest.mark.parametrize(
    "name",
    [
        "audit.jsonl.1",
        "audit-2026-11-26T12-00-00Z-1.jsonl.bz2",
        "audit-2026-13-40T12-00-00Z-000001.jsonl",
        "audit-２０２６-11-26T12-00-00Z-000001.jsonl",
        "notes.txt",
    ],
)
def test_files_of_others_are_neither_read_nor_deleted(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(line(entry()))
    tidy(tmp_path, 0.001, 0, NOON)
    assert numbers(tmp_path) == []
    assert (tmp_path / name).exists()
