"""What a command writes, measured."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from limited import MEGABYTE, python, run
from recto.sandbox.base import Limits
from recto.sandbox.limits.disk import DiskWatch
from recto.sandbox.limits.hierarchies import places
from recto.sandbox.limits.keeping import Limiter
from recto.sandbox.limits.usage import Usage


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def used(*paths: Path) -> int:
    """The bytes that these paths use."""
    usage = Usage()
    for _ in usage.of(paths):
        pass
    return usage.bytes


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A tree of 3,000 levels, far beyond the longest path, with a megabyte at its bottom."""
    top = tmp_path / "deep"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    bottom = os.open("bottom", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(bottom, bytes(MEGABYTE))
    os.close(bottom)
    os.close(here)
    yield top
    subprocess.run(("/bin/rm", "-rf", str(top)), check=True)


def test_growth_beyond_the_limit_ends_the_command(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "before").write_bytes(bytes(3 * MEGABYTE))
    watch = DiskWatch([tmp_path], 2 * MEGABYTE, clock=clock)
    seen = []

    for number in range(4):
        (tmp_path / f"{number}").write_bytes(bytes(600_000))
        clock.now += 1.0
        seen.append(watch.watch())

    assert seen == [None, None, None, "disk-limit"]


def test_it_looks_once_a_second_at_most(tmp_path: Path, clock: Clock) -> None:
    watch = DiskWatch([tmp_path], MEGABYTE, clock=clock)
    (tmp_path / "large").write_bytes(bytes(2 * MEGABYTE))

    clock.now += 0.9
    assert watch.watch() is None
    clock.now += 0.2
    assert watch.watch() == "disk-limit"


def test_a_long_look_is_done_in_slices(tmp_path: Path) -> None:
    """Each reading of this clock moves it: a slice ends after a few entries."""
    for number in range(200):
        (tmp_path / f"{number}").touch()
    times = iter(range(10_000))
    watch = DiskWatch([tmp_path], 10 * MEGABYTE, clock=lambda: next(times) / 50)
    (tmp_path / "large").write_bytes(bytes(20 * MEGABYTE))

    looks = 1
    while watch.watch() is None:
        looks += 1

    assert looks > 10


def test_the_floor_of_the_volume_ends_the_command_also_without_a_limit(tmp_path: Path, clock: Clock) -> None:
    volume = os.statvfs(tmp_path)
    for free_bytes_min, stop in ((volume.f_blocks * volume.f_frsize, "disk-full"), (1, None)):
        watch = DiskWatch([tmp_path], None, free_bytes_min, clock)
        clock.now += 1.0
        assert watch.watch() == stop


def test_hard_links_count_once_and_holes_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(bytes(MEGABYTE))
    before = used(tmp_path)
    for number in range(50):
        os.link(tmp_path / "one", tmp_path / f"link-{number}")
    with (tmp_path / "hole").open("wb") as hole:
        hole.truncate(1 << 40)

    assert used(tmp_path) - before < 20_000


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "large").write_bytes(bytes(MEGABYTE))
    (inside / "directory").symlink_to(outside)
    (inside / "file").symlink_to(outside / "large")
    (inside / "round").symlink_to(".")

    assert used(inside) < 20_000


def test_a_path_below_another_counts_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "below").mkdir()
    watch = DiskWatch([tmp_path, tmp_path / "below"], 3 * MEGABYTE // 2, clock=clock)
    (tmp_path / "below" / "large").write_bytes(bytes(MEGABYTE))
    clock.now += 1.0

    assert watch.watch() is None


def test_empty_files_fill_the_limit_too(tmp_path: Path) -> None:
    before = used(tmp_path)
    for number in range(100):
        (tmp_path / f"{number}").touch()

    assert used(tmp_path) - before >= 100 * 512


def test_a_tree_deeper_than_the_longest_path_is_measured(deep: Path) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))

    assert used(deep) >= MEGABYTE + 3000 * 512
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_names_that_are_no_text_are_measured(tmp_path: Path) -> None:
    for name in (b"\xff\xfe", b"new\nline", b"-rf", b"\x1b[2J", "ü".encode()):
        directory = tmp_path / os.fsdecode(name)
        directory.mkdir()
        (directory / directory.name).write_bytes(bytes(MEGABYTE))

    assert used(tmp_path) >= 5 * MEGABYTE


def test_pipes_sockets_and_what_vanished_do_not_hold_a_look_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert used(tmp_path, tmp_path / "gone", tmp_path / "pipe") > 0


def test_a_directory_that_moves_away_during_a_look_ends_it(tmp_path: Path) -> None:
    """The way up would lead elsewhere."""
    elsewhere, top = tmp_path / "elsewhere", tmp_path / "top"
    elsewhere.mkdir()
    (elsewhere / "large").write_bytes(bytes(8 * MEGABYTE))
    (top / "a").mkdir(parents=True)
    (top / "a" / "file").write_bytes(bytes(MEGABYTE))
    usage = Usage()
    steps = usage.of([top])
    # Its one entry, then the file in that: now the look is in `a`.
    next(steps)
    next(steps)

    (top / "a").rename(elsewhere / "a")
    rest = len(list(steps))

    assert rest == 0
    assert MEGABYTE <= usage.bytes < 2 * MEGABYTE


def test_another_device_below_is_not_counted(tmp_path: Path) -> None:
    below = tmp_path / "mounted"
    below.mkdir()
    mounted = subprocess.run(("mount", "-t", "tmpfs", "none", str(below)), capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a file system")
    try:
        (below / "large").write_bytes(bytes(MEGABYTE))
        assert used(tmp_path) < 20_000
    finally:
        subprocess.run(("umount", str(below)), check=True)


def test_a_command_that_fills_the_disk_is_ended(tmp_path: Path) -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "for number in range(100): open(f'{number}', 'wb').write(bytes(100_000))\n"
        "signal.pause()\n"
    )

    outcome = run(python(code, cwd=tmp_path, limits=Limits(disk_bytes=5 * MEGABYTE, wall_seconds=60.0)))

    assert (outcome.code, outcome.stop) == (-signal.SIGKILL, "disk-limit")
    assert outcome.tiers == {"disk": "watched"}


def test_a_command_that_fills_the_disk_and_ends_before_anybody_looks_is_told_too(tmp_path: Path) -> None:
    code = "for number in range(100): open(f'{number}', 'wb').write(bytes(100_000))"

    outcome = run(python(code, cwd=tmp_path, limits=Limits(disk_bytes=5 * MEGABYTE)))

    assert (outcome.code, outcome.stop, outcome.succeeded) == (0, "disk-limit", False)


def test_a_file_that_is_deleted_and_still_open_counts(tmp_path: Path) -> None:
    if not places():
        pytest.skip("without control groups it is not known whose open files to look at")
    code = (
        "import os, signal\n"
        "file = open('gone', 'wb', buffering=0)\n"
        "os.unlink('gone')\n"
        "file.write(bytes(9_000_000))\n"
        "signal.pause()\n"
    )
    limits = Limits(disk_bytes=5 * MEGABYTE, file_bytes=10 * MEGABYTE, wall_seconds=60.0)

    assert run(python(code, cwd=tmp_path, limits=limits)).stop == "disk-limit"


def test_one_file_cannot_exceed_the_limit(tmp_path: Path) -> None:
    code = (
        "import errno\n"
        "file = open('large', 'wb', buffering=0)\n"
        "file.write(bytes(3_000_000))\n"
        "try: file.write(b'more')\n"
        "except OSError as error: print(error.errno)\n"
    )

    outcome = run(python(code, cwd=tmp_path, limits=Limits(file_bytes=2 * MEGABYTE)))

    assert outcome.stdout.decode().strip() == str(errno.EFBIG)
    assert (tmp_path / "large").stat().st_size == 2 * MEGABYTE


def test_a_sparse_file_within_the_limit_of_one_file_is_nothing(tmp_path: Path) -> None:
    code = "open('sparse', 'wb').truncate(1 << 40)"

    outcome = run(python(code, cwd=tmp_path, limits=Limits(disk_bytes=MEGABYTE, file_bytes=1 << 41)))

    assert outcome.succeeded


def test_the_floor_is_the_limiters(tmp_path: Path) -> None:
    command = python("import signal; signal.pause()", cwd=tmp_path, limits=Limits(wall_seconds=60.0))

    outcome = run(command, Limiter(free_bytes_min=1 << 60))

    assert outcome.stop == "disk-full"
