"""Files beneath a directory, read as strangers left them: every trick, by both ways of opening."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from strangers import SECRET, TRICKS, Trick, as_nobody, deep, in_memory, many, outside

from recto.sandbox import openat2
from recto.sandbox.beneath import Beneath, NotPlain, TooLarge, why
from recto.sandbox.removing import discarded

# A directory and a link to another take turns under one name until stdin ends.
_SWAPPING = """
import os, sys, select
name, other, link = sys.argv[1:]
print("ready", flush=True)
while not select.select([0], [], [], 0)[0]:
    os.rename(name, other); os.rename(link, name)
    os.rename(name, link); os.rename(other, name)
"""


@pytest.fixture
def away(tmp_path: Path) -> Path:
    return outside(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture(params=["openat2", "no openat2", "early"])
def beneath(project: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beneath]:
    """The directory, opened by the kernel's own way, without one, and by the way without imports."""
    if request.param == "no openat2":
        # No system call has this number, so that the kernel says what one without openat2 says.
        monkeypatch.setattr(openat2, "_NUMBER", 100_000)
    with Beneath(project, early=request.param == "early") as opened:
        yield opened


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_the_kernel_here_resolves_in_one_call(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "file").write_text("text")
    with Beneath(project) as opened:
        monkeypatch.delattr(Beneath, "_walked")
        assert opened.read("sub/file", 10) == b"text"


def test_a_plain_file_is_read(beneath: Beneath, project: Path) -> None:
    (project / "a" / "b").mkdir(parents=True)
    (project / "a" / "b" / "file").write_bytes(b"text")
    (project / "empty").touch()
    assert beneath.read("a/./b//file", 4) == b"text"
    assert beneath.read("empty", 0) == b""
    assert beneath.head("a/b/file", 2) == b"te"
    assert beneath.status("a/b/file").st_size == 4
    with beneath.below("a") as inner:
        assert inner.read("b/file", 4) == b"text"


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_trick_is_refused_by_every_verb(beneath: Beneath, project: Path, away: Path, trick: Trick) -> None:
    name = trick(project, away)
    # Without us it works: what a path leads to is the secret.
    if trick.__name__ in {"link", "linked_parent", "upwards", "magic_link", "absolute"}:
        assert (project / name).read_text() == SECRET
    before = _descriptors()
    for verb in (beneath.status, lambda name: beneath.read(name, 100), lambda name: beneath.head(name, 100)):
        with pytest.raises(OSError) as refused:  # noqa: PT011 - each trick has an error of its own
            verb(name)
        assert SECRET not in why(refused.value)
        assert str(away) not in why(refused.value)
    assert not beneath.is_plain(name)
    assert _descriptors() == before


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_no_trick_is_listed(beneath: Beneath, project: Path, away: Path, trick: Trick) -> None:
    trick(project, away)
    (project / "own.txt").write_text("text")
    assert beneath.files(100, 3)[0] == ("own.txt",)


def test_a_file_without_a_byte_in_it_is_too_large(beneath: Beneath, project: Path) -> None:
    with (project / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLarge, match="has more than 1 kB"):
        beneath.read("sparse", 1000)
    assert beneath.head("sparse", 3) == b"\0\0\0"


def test_what_is_read_is_counted_and_not_believed(project: Path) -> None:
    (project / "log").write_bytes(b"")
    stop = threading.Event()

    def grow() -> None:
        with (project / "log").open("ab", buffering=0) as file:
            while not stop.is_set() and file.tell() < 50_000_000:
                file.write(b"x" * 65_536)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with Beneath(project) as opened:
            for _ in range(200):
                try:
                    assert len(opened.read("log", 100_000)) <= 100_000
                except TooLarge:
                    break
            else:
                raise AssertionError("the file never grew")
    finally:
        stop.set()
        writer.join()


def test_a_leased_file_does_not_hold_the_reader_up(beneath: Beneath, project: Path) -> None:
    (project / "leased").write_text("text")
    holder = os.open(project / "leased", os.O_RDWR)
    old = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        fcntl.fcntl(holder, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        with pytest.raises(BlockingIOError) as refused:
            beneath.read("leased", 100)
        assert why(refused.value) == "another process holds it"
    finally:
        os.close(holder)
        signal.signal(signal.SIGIO, old)


def test_a_second_name_of_somebody_elses_file_is_refused(project: Path, away: Path) -> None:
    (project / "second").hardlink_to(away / "secret")
    with Beneath(project) as opened:
        # The directory and the file have one owner: what is read was theirs before.
        assert opened.read("second", 100) == SECRET.encode()
    with Beneath(project, private=True) as opened, pytest.raises(NotPlain, match="second name"):
        opened.read("second", 100)
    if os.geteuid():
        pytest.skip("only root can give a file to somebody else")
    os.chown(project, 65534, 65534)
    for early in (False, True):
        with Beneath(project, early=early) as opened, pytest.raises(NotPlain, match="second name"):
            opened.read("second", 100)


@pytest.mark.parametrize("early", [False, True])
def test_a_private_directory_ends_at_its_volume(early: bool) -> None:
    # A volume of its own in every Linux, mounted in `/dev`.
    with Beneath(Path("/dev"), early=early) as opened:
        opened.below("shm").close()
    with Beneath(Path("/dev"), private=True, early=early) as opened, pytest.raises(OSError) as refused:  # noqa: PT011
        opened.below("shm")
    assert why(refused.value) == "it lies outside of its directory"


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("levels", [300, 5000])
def test_a_deep_tree_is_read_and_listed(tmp_path: Path, levels: int, early: bool) -> None:
    with in_memory(tmp_path) as directory:
        (directory / "project").mkdir()
        deep(directory / "project", levels)
        with Beneath(directory / "project", early=early) as opened:
            before = _descriptors()
            assert opened.read("d/" * levels + "leaf", 10) == b"leaf"
            found, left_out = opened.files(1000, 100)
            assert found == ("d/" * 100 + "leaf",)
            assert left_out == ("d/" * 100 + "d",)
            assert _descriptors() == before
        # What removes the directory afterwards is no match for such a tree.
        assert discarded(directory / "project")


def test_two_hundred_thousand_names_are_not_all_looked_at(tmp_path: Path) -> None:
    with in_memory(tmp_path) as directory, Beneath(directory) as opened:
        many(directory, 200_000)
        with pytest.raises(TooLarge, match="more than 5000 files"):
            opened.files(5000, 3)


def test_names_that_cannot_be_told_are_left_out(beneath: Beneath, project: Path) -> None:
    names = [b"caf\xe9.png", b"two\nlines.png", b"\x1b[31m.png", "caf\u00e9 \u202f1.png".encode()]
    for name in names:
        (project / os.fsdecode(name)).write_text("text")
    found, left_out = beneath.files(100, 3)
    assert found == ("caf\u00e9 \u202f1.png",)
    assert left_out == (r"\x1b[31m.png", r"caf\udce9.png", r"two\nlines.png")
    # Whoever knows such a name can read it.
    assert beneath.read(os.fsdecode(names[0]), 10) == b"text"


def test_a_file_that_may_not_be_read_says_so(project: Path) -> None:
    (project / "none").write_text(SECRET)
    (project / "none").chmod(0)
    (project / "closed").mkdir()
    (project / "closed" / "file").write_text(SECRET)
    (project / "closed").chmod(0)
    for early in (False, True):
        with Beneath(project, early=early) as opened:
            opened.files(10, 3)
            with as_nobody():
                for name in ("none", "closed/file"):
                    with pytest.raises(PermissionError) as refused:
                        opened.read(name, 10)
                    assert why(refused.value) == "it may not be read"
                assert opened.files(10, 3) == (("none",), ("closed",))


def test_a_directory_that_becomes_a_link_between_look_and_use_leads_nowhere(beneath: Beneath, tmp_path: Path) -> None:
    project, away = tmp_path / "project", outside(tmp_path)
    (project / "figures").mkdir()
    (project / "figures" / "secret").write_text("mine")
    (project / "link").symlink_to(away / "figures")
    paths = [project / "figures", project / "other", project / "link"]
    swapping = [sys.executable, "-c", _SWAPPING, *map(str, paths)]
    seen: set[bytes] = set()
    naive: set[str] = set()
    with subprocess.Popen(swapping, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout is not None
        swapper.stdout.readline()
        for _ in range(5000):
            try:
                seen.add(beneath.read("figures/secret", 100))
            except OSError as error:
                seen.add(type(error).__name__.encode())
            try:
                naive.add((project / "figures" / "secret").read_text())
            except OSError:
                continue
        swapper.communicate(b"end")
    assert SECRET in naive
    assert b"mine" in seen
    assert SECRET.encode() not in seen


def test_a_link_of_the_project_is_followed_within_it_and_not_out_of_it(beneath: Beneath, project: Path) -> None:
    away = outside(project.parent)
    (project / "runs").mkdir()
    (project / "runs" / "3.png").write_text("text")
    (project / "latest.png").symlink_to("runs/3.png")
    (project / "out.png").symlink_to(away / "secret")
    assert beneath.followed(project / "latest.png") == "runs/3.png"
    assert beneath.followed(project / "out.png") is None
    assert beneath.followed(project / "none.png") is None
    assert beneath.followed(project / "a\0b") is None


def test_the_directory_itself_is_no_link(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        Beneath(tmp_path / "link")


def test_directories_are_made_and_no_link_is_taken_for_one(beneath: Beneath, project: Path) -> None:
    away = outside(project.parent)
    with beneath.below("a/b", make=True) as inner:
        assert inner.directory == project / "a" / "b"
    beneath.below("a/b", make=True).close()
    (project / "a" / "link").symlink_to(away)
    with pytest.raises(OSError):  # noqa: PT011 - ELOOP or ENOTDIR, by the way of opening
        beneath.below("a/link/c", make=True)
    assert not (away / "c").exists()
