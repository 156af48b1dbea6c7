"""Copies of what strangers wrote, and the place where they are put."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from strangers import SECRET, TRICKS, Trick, outside

from recto.sandbox.beneath import Beneath, NotPlain, TooLarge
from recto.sandbox.copying import copied


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "page").write_text("new")
    return tmp_path / "project"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "shelf").mkdir()
    return tmp_path / "shelf"


def test_a_copy_is_published_whole_with_a_mode_of_its_own(project: Path, shelf: Path) -> None:
    (shelf / "page").write_text("old")
    (project / "page").chmod(0o4777)
    with Beneath(project) as source, Beneath(shelf) as into:
        copy = copied(source, "page", into, "page", 3)
        assert (shelf / "page").read_text() == "old"
        assert copy.bytes == 3
        assert copy.publish() == shelf / "page"
    assert (shelf / "page").read_text() == "new"
    assert (shelf / "page").stat().st_mode & 0o7777 == 0o644
    assert [path.name for path in shelf.iterdir()] == ["page"]


def test_who_still_holds_the_original_does_not_change_the_copy(project: Path, shelf: Path) -> None:
    with (project / "page").open("r+") as held, Beneath(project) as source, Beneath(shelf) as into:
        copied(source, "page", into, "page", 10).publish()
        held.write("changed")
        held.flush()
        assert (shelf / "page").read_text() == "new"


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_trick_is_not_copied_and_leaves_nothing(project: Path, shelf: Path, tmp_path: Path, trick: Trick) -> None:
    name = trick(project, outside(tmp_path))
    with Beneath(project) as source, Beneath(shelf) as into, pytest.raises(OSError):  # noqa: PT011
        copied(source, name, into, "page", 100)
    assert list(shelf.iterdir()) == []


def test_too_many_bytes_leave_nothing(project: Path, shelf: Path) -> None:
    with (project / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with Beneath(project) as source, Beneath(shelf) as into:
        for name, most in (("sparse", 1000), ("page", 2)):
            with pytest.raises(TooLarge):
                copied(source, name, into, name, most)
    assert list(shelf.iterdir()) == []


@pytest.mark.parametrize("planted", ["link", "dangling link", "pipe", "file"])
def test_what_was_planted_at_the_place_is_replaced_and_not_written_through(
    project: Path, shelf: Path, tmp_path: Path, planted: str
) -> None:
    away = outside(tmp_path)
    if planted == "link":
        (shelf / "page").symlink_to(away / "secret")
    elif planted == "dangling link":
        (shelf / "page").symlink_to(away / "new")
    elif planted == "pipe":
        os.mkfifo(shelf / "page")
    else:
        (shelf / "page").hardlink_to(away / "secret")
    with Beneath(project) as source, Beneath(shelf) as into:
        copied(source, "page", into, "page", 10).publish()
    assert not (shelf / "page").is_symlink()
    assert (shelf / "page").read_text() == "new"
    assert (away / "secret").read_text() == SECRET
    assert not (away / "new").exists()


def test_a_directory_at_the_place_is_an_error_and_stays(project: Path, shelf: Path) -> None:
    (shelf / "page").mkdir()
    (shelf / "page" / "kept").touch()
    with Beneath(project) as source, Beneath(shelf) as into:
        copy = copied(source, "page", into, "page", 10)
        with pytest.raises(IsADirectoryError):
            copy.publish()
        copy.discard()
    assert [path.name for path in shelf.rglob("*")] == ["page", "kept"]


def test_a_link_on_the_way_to_the_place_is_refused(project: Path, shelf: Path, tmp_path: Path) -> None:
    away = outside(tmp_path)
    (shelf / "sub").symlink_to(away)
    with Beneath(project) as source, Beneath(shelf) as into, pytest.raises(OSError) as refused:  # noqa: PT011
        copied(source, "page", into, "sub/page", 10)
    assert refused.value.errno in (errno.ELOOP, errno.ENOTDIR)
    assert not (away / "page").exists()


def test_something_else_in_the_place_of_the_copy_is_noticed(project: Path, shelf: Path, tmp_path: Path) -> None:
    away = outside(tmp_path)
    with Beneath(project) as source, Beneath(shelf) as into:
        copy = copied(source, "page", into, "page", 10)
        (temporary,) = shelf.iterdir()
        temporary.unlink()
        temporary.symlink_to(away / "secret")
        with pytest.raises(NotPlain, match="put in its place"):
            copy.publish()
        copy.discard()
    assert (away / "secret").read_text() == SECRET
