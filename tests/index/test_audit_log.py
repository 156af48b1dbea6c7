"""The writing side: what is recorded is there once, whoever else writes, and what cannot be is refused."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from audited import NOON, entry, writer
from recto.index.audit import AuditLog, Foreign, NoAudit, Options, entries
from recto.index.audit.files import CURRENT, LOCK, put_aside
from recto.problems import StoreError

BESIDE = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "v1" / "audit"


def read(directory: Path) -> list[tuple[str, int]]:
    """Subject and number of each entry; nothing in the log is foreign."""
    foreign: list[Foreign] = []
    found = [(one.subject, int(one.request)) for one in entries(directory, foreign=foreign.append)]
    assert foreign == []
    return found


def refused(log: AuditLog) -> str:
    with pytest.raises(StoreError) as error:
        log.record(entry())
    (found,) = error.value.problems
    assert found.code == "audit-unwritable"
    return found.message


def test_entries_come_back_in_their_order(directory: Path) -> None:
    log = AuditLog(directory)
    recorded = [entry(request=str(number)) for number in range(5)]
    for one in recorded:
        log.record(one)
    assert list(entries(directory)) == recorded


def test_only_the_user_of_the_gateway_may_read_it(directory: Path) -> None:
    log = AuditLog(directory, Options(file_bytes=1))
    log.record(entry())
    log.record(entry())
    log.close()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}
    assert modes.pop(directory.name) == 0o700
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


def test_several_processes_lose_and_double_no_line_while_files_are_put_aside(directory: Path) -> None:
    names, count = ("a", "b", "c", "d"), 5_000
    writers = [writer(directory, name, count, file_bytes=150_000) for name in names]
    looks = 0
    # Read meanwhile: of each writer the first numbers without a gap.
    while any(process.poll() is None for process in writers):
        seen = read(directory)
        numbers = {name: [number for subject, number in seen if subject == name] for name in names}
        assert all(found == list(range(len(found))) for found in numbers.values())
        looks += 1
    for process in writers:
        process.communicate()
    assert [process.returncode for process in writers] == [0, 0, 0, 0]
    assert looks > 1
    assert Counter(read(directory)) == Counter((name, number) for name in names for number in range(count))
    files = put_aside(directory)
    assert len(files) > 20
    assert [file.number for file in files] == list(range(1, len(files) + 1))
    assert not list(directory.glob("*.part"))


def test_what_was_recorded_is_there_once_when_its_writers_are_killed(directory: Path) -> None:
    said: dict[str, int] = {}
    for turn in range(6):
        # Files are put aside and compressed all the time.
        writers = {f"{turn}-{name}": writer(directory, f"{turn}-{name}", 100_000, 2_000, spoken=True) for name in "ab"}
        for name, process in writers.items():
            assert process.stdout is not None
            for _ in range(60 + turn):
                said[name] = int(process.stdout.readline())
        for name, process in writers.items():
            process.kill()
            rest, _ = process.communicate()
            # The last word may have been cut.
            said[name] = max([said[name], *map(int, rest.split("\n")[:-1])])
    found = Counter((one.subject, int(one.request)) for one in entries(directory))
    assert set(found.values()) == {1}
    for name, last in said.items():
        numbers = sorted(number for subject, number in found if subject == name)
        # One more may have been written and not yet said.
        assert numbers in (list(range(last + 1)), list(range(last + 2)))


def test_threads_share_a_log(directory: Path) -> None:
    log = AuditLog(directory, Options(file_bytes=20_000))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.record(entry(request=str(number))), range(800)))
    log.close()
    assert sorted(number for _, number in read(directory)) == list(range(800))


def test_a_log_goes_on_in_forks(directory: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from audited import entry
from recto.index.audit import AuditLog, Options
log = AuditLog(Path(sys.argv[1]), Options(file_bytes=5_000))
log.record(entry(subject="parent"))
for name in ("a", "b"):
    if os.fork() == 0:
        for number in range(300):
            log.record(entry(subject=name, request=str(number)))
        os._exit(0)
print(os.wait()[1], os.wait()[1])
"""
    done = subprocess.run([sys.executable, "-c", code, str(directory)], env=BESIDE, capture_output=True, text=True)
    assert done.stdout == "0 0\n", done.stderr
    assert Counter(subject for subject, _ in read(directory)) == {"parent": 1, "a": 300, "b": 300}


@pytest.mark.makes("audit-unwritable")
def test_a_file_that_takes_no_more_refuses_and_keeps_what_it_has(directory: Path) -> None:
    process = writer(directory, "a", 1_000, spoken=True, before=LIMITED)
    said, _ = process.communicate()
    *numbers, last = said.split()
    assert last == "audit-unwritable"
    assert read(directory) == [("a", int(number)) for number in numbers]
    current = directory / CURRENT
    # What fitted of the last line is gone again, so that the next is not appended to it.
    assert 10_000 < current.stat().st_size < 20_000
    assert current.read_bytes().endswith(b"}\n")
    AuditLog(directory).record(entry(subject="b", request="7"))
    assert read(directory)[-1] == ("b", 7)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")
def test_a_full_disk_refuses_until_there_is_room(tmp_path: Path) -> None:
    script = """
mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@"
"""
    code = """
import sys
from pathlib import Path
from audited import entry
from recto.index.audit import AuditLog, entries
from recto.problems import StoreError
directory, filler = Path(sys.argv[1], "audit"), Path(sys.argv[1], "filler")
filler.write_bytes(b"f" * 20_000)
log, recorded = AuditLog(directory), 0
try:
    while recorded < 10_000:
        log.record(entry(request=str(recorded), reason="r" * 100))
        recorded += 1
except StoreError as error:
    print(error.problems[0].code, error.problems[0].message.split(": ")[-1])
filler.unlink()
log.record(entry(request=str(recorded)))
print([int(one.request) for one in entries(directory)] == list(range(recorded + 1)), recorded > 10)
"""
    (tmp_path / "disk").mkdir()
    argv = ["sh", "-c", script, "sh", str(tmp_path / "disk"), sys.executable, "-c", code, str(tmp_path / "disk")]
    done = subprocess.run(["unshare", "--mount", *argv], env=BESIDE, capture_output=True, text=True)
    assert done.stdout == "audit-unwritable No space left on device.\nTrue True\n", done.stderr


def test_where_the_directory_cannot_be_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in refused(AuditLog(tmp_path / "file" / "audit"))


def test_a_link_in_the_place_of_the_file_is_not_followed(directory: Path, tmp_path: Path) -> None:
    directory.mkdir(parents=True)
    (directory / CURRENT).symlink_to(tmp_path / "elsewhere")
    refused(AuditLog(directory))
    assert not (tmp_path / "elsewhere").exists()


def test_nobody_waits_for_the_other_end_of_a_pipe(directory: Path) -> None:
    directory.mkdir(parents=True)
    os.mkfifo(directory / CURRENT)
    end = os.open(directory / CURRENT, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert "it is not a file" in refused(AuditLog(directory))
    finally:
        os.close(end)


def test_a_process_that_hangs_with_the_lock_is_not_waited_for_for_ever(directory: Path) -> None:
    log = AuditLog(directory, Options(wait_seconds=0.05))
    log.record(entry())
    with (directory / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process has held its lock" in refused(log)
    log.record(entry(request="1"))
    assert [number for _, number in read(directory)] == [0, 1]


def test_a_line_that_was_cut_by_a_kill_does_not_take_the_next_with_it(directory: Path) -> None:
    log = AuditLog(directory)
    log.record(entry())
    with (directory / CURRENT).open("ab") as file:
        file.write(b'{"schema":1,"when":"2026-11-26T12:0')
    log.record(entry(request="1"))
    foreign: list[Foreign] = []
    assert [one.request for one in entries(directory, foreign=foreign.append)] == ["0", "1"]
    assert [(one.file, one.line) for one in foreign] == [(CURRENT, 2)]


def test_the_file_is_put_aside_with_its_day(directory: Path) -> None:
    log = AuditLog(directory, clock=lambda: NOON)
    log.record(entry())
    yesterday = (NOON - timedelta(hours=13)).timestamp()
    os.utime(directory / CURRENT, (yesterday, yesterday))
    log.record(entry(request="1"))
    log.close()
    assert [path.name for path in directory.glob("audit-*")] == ["audit-2026-11-26T12-00-00Z-000001.jsonl.gz"]
    assert [number for _, number in read(directory)] == [0, 1]


def test_a_clock_that_is_set_back_changes_no_order(directory: Path) -> None:
    now = NOON
    log = AuditLog(directory, Options(file_bytes=1), clock=lambda: now)
    for number in range(6):
        log.record(entry(request=str(number)))
        now -= timedelta(hours=1)
    log.close()
    assert [number for _, number in read(directory)] == [0, 1, 2, 3, 4, 5]


def test_somebody_else_may_put_the_file_aside(directory: Path) -> None:
    log = AuditLog(directory)
    log.record(entry())
    (directory / CURRENT).rename(directory / "taken-away")
    log.record(entry(request="1"))
    assert [number for _, number in read(directory)] == [1]


def test_a_directory_that_was_deleted_is_made_again(directory: Path) -> None:
    log = AuditLog(directory)
    log.record(entry())
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    log.record(entry(request="1"))
    assert [number for _, number in read(directory)] == [1]


def test_no_log_writes_nothing(tmp_path: Path) -> None:
    log = NoAudit()
    log.record(entry())
    log.close()
    assert list(tmp_path.iterdir()) == []
