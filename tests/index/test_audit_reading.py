"""The reading side: what is wanted, oldest first, whatever else lies in the log."""

from __future__ import annotations

import gzip
import tracemalloc
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from audited import NOON, entry
from recto.index.audit import AuditLog, Foreign, Options, Selection, entries
from recto.index.audit.entry import line
from recto.index.audit.files import CURRENT, LOCK
from recto.index.audit.holds import EXCLUSIVE, held
from recto.index.audit.tidying import tidy
from recto.problems import StoreError

RECORDED = (
    entry(request="0", when=NOON - timedelta(hours=2), subject="ann", verdict="hidden", rule="age"),
    entry(request="1", when=NOON - timedelta(hours=1), subject="bob", package="numpy"),
    entry(request="2", when=NOON, subject="ann", verdict="failed"),
)


def requests(directory: Path, selection: Selection | None = None) -> list[int]:
    return [int(one.request) for one in entries(directory, selection)]


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), [0, 1, 2]),
        (Selection(since=NOON - timedelta(hours=1)), [1, 2]),
        (Selection(until=NOON - timedelta(hours=1)), [0]),
        (Selection(since=NOON - timedelta(hours=1), until=NOON), [1]),
        (Selection(package="numpy"), [1]),
        (Selection(subject="ann"), [0, 2]),
        (Selection(verdict="failed"), [2]),
        (Selection(rule="age"), [0]),
        (Selection(subject="ann", verdict="served"), []),
    ],
)
def test_what_is_wanted_is_read(tmp_path: Path, selection: Selection, wanted: list[int]) -> None:
    log = AuditLog(tmp_path, Options(file_bytes=1), clock=lambda: NOON)
    for one in RECORDED:
        log.record(one)
    log.close()
    assert requests(tmp_path, selection) == wanted


def test_files_from_before_are_not_opened(tmp_path: Path) -> None:
    old = tmp_path / "audit-2026-11-24T00-00-00Z-000001.jsonl.gz"
    old.write_bytes(b"no gzip at all")
    (tmp_path / CURRENT).write_bytes(line(entry()))
    foreign: list[Foreign] = []
    assert len(list(entries(tmp_path, Selection(since=NOON - timedelta(days=1)), foreign.append))) == 1
    assert foreign == []
    assert len(list(entries(tmp_path, foreign=foreign.append))) == 1
    assert [(one.file, one.line) for one in foreign] == [(old.name, None)]


def test_no_log_has_no_entries(tmp_path: Path) -> None:
    assert requests(tmp_path / "audit") == []
    assert requests(tmp_path) == []


def test_a_copy_of_the_files_is_read_without_a_lock(tmp_path: Path) -> None:
    (tmp_path / CURRENT).write_bytes(line(entry(request="4")))
    assert requests(tmp_path) == [4]
    assert [path.name for path in tmp_path.iterdir()] == [CURRENT]


@pytest.mark.parametrize(
    "strange",
    [
        b"",
        b"not JSON",
        b"[1, 2]",
        b"\xff\xfe\x00",
        b"\x00" * 4000,
        b"x" * 1_000_000,
        b"[" * 4000,
        b'{"schema":2,"when":"2026-11-26T12:00:00Z","verdict":"served"}',
        b'{"schema":1,"when":"2026-11-26T12:00:00","verdict":"served"}',
        b'{"schema":1,"when":"2026-11-26T12:00:00Z","verdict":"eaten"}',
        b'{"schema":1,"verdict":"served"}',
        b'{"schema":1,"when":"2026-11-26T12:00:00Z","verdict":"served","bytes":"1"}',
    ],
    ids=range(12),
)
def test_a_foreign_line_is_told_and_left_out(tmp_path: Path, strange: bytes) -> None:
    (tmp_path / CURRENT).write_bytes(line(entry(request="1")) + strange + b"\n" + line(entry(request="2")))
    foreign: list[Foreign] = []
    assert [one.request for one in entries(tmp_path, foreign=foreign.append)] == ["1", "2"]
    assert [(one.file, one.line) for one in foreign] == [(CURRENT, 2)]
    assert foreign[0].reason


def test_a_line_of_a_later_release_with_more_keys_is_read(tmp_path: Path) -> None:
    more = msgspec.json.encode({**msgspec.json.decode(line(entry(request="5"))), "country": "fr"})
    (tmp_path / CURRENT).write_bytes(more + b"\n")
    assert requests(tmp_path) == [5]


def test_a_line_whose_writer_is_at_it_is_no_stranger(tmp_path: Path) -> None:
    (tmp_path / CURRENT).write_bytes(line(entry(request="1")) + line(entry(request="2"))[:40])
    foreign: list[Foreign] = []
    assert [one.request for one in entries(tmp_path, foreign=foreign.append)] == ["1"]
    assert foreign == []


def test_what_can_be_read_of_a_damaged_file_is_read_and_the_next_one_too(tmp_path: Path) -> None:
    lines = b"".join(line(entry(request=str(number))) for number in range(10_000))
    zipped = tmp_path / "audit-2026-11-26T12-00-00Z-000001.jsonl.gz"
    zipped.write_bytes(gzip.compress(lines)[:-5000])
    (tmp_path / CURRENT).write_bytes(line(entry(request="10000")))
    foreign: list[Foreign] = []
    found = [int(one.request) for one in entries(tmp_path, foreign=foreign.append)]
    assert found[:-1] == list(range(len(found) - 1))
    assert found[-1] == 10_000
    assert len(found) > 100
    assert [one.file for one in foreign] == [zipped.name]


def test_what_is_put_aside_and_compressed_during_a_reading_is_read_once(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, Options(file_bytes=1), clock=lambda: NOON)
    for number in range(4):
        log.record(entry(request=str(number)))
    log.close()
    reading = entries(tmp_path)
    found = [next(reading).request]
    for number in range(4, 8):
        log.record(entry(request=str(number)))
    log.close()
    tidy(tmp_path, 90, 10**9, NOON)
    assert [*found, *(one.request for one in reading)] == ["0", "1", "2", "3"]


def test_a_long_log_is_read_line_by_line(tmp_path: Path) -> None:
    lines = b"".join(line(entry(request=str(number), reason="r" * 200)) for number in range(4_000))
    (tmp_path / CURRENT).write_bytes(lines)
    (tmp_path / "audit-2026-11-26T12-00-00Z-000001.jsonl.gz").write_bytes(gzip.compress(lines + b"[" * 10**6))
    tracemalloc.start()
    try:
        count = sum(1 for _ in entries(tmp_path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 8_000
    assert peak < len(lines) / 5


def test_the_files_are_listed_while_nobody_puts_one_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    AuditLog(tmp_path).record(entry(request="1"))
    monkeypatch.setattr("recto.index.audit.reading._WAIT_SECONDS", 0.05)
    with held(tmp_path / LOCK, EXCLUSIVE, 1), pytest.raises(StoreError, match="another process has held its lock"):
        requests(tmp_path)
    assert requests(tmp_path) == [1]


@pytest.mark.makes("audit-unreadable")
def test_a_directory_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / CURRENT).mkdir()
    with pytest.raises(StoreError) as error:
        requests(tmp_path)
    assert [found.code for found in error.value.problems] == ["audit-unreadable"]
    assert str(tmp_path) in error.value.problems[0].message
