"""Files of one environment into another: what is replaced is never written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recto.builder.moving import files_of, move_into


def test_files_come_to_the_same_places(tmp_path: Path) -> None:
    (tmp_path / "from" / "lib" / "deep").mkdir(parents=True)
    (tmp_path / "from" / "lib" / "deep" / "a.py").write_text("a")
    (tmp_path / "from" / "top").write_text("t")
    (tmp_path / "to").mkdir()

    move_into(tmp_path / "from", files_of(tmp_path / "from"), tmp_path / "to")

    assert sorted(files_of(tmp_path / "to")) == ["lib/deep/a.py", "top"]
    assert list(files_of(tmp_path / "from")) == []


def test_a_file_that_others_link_to_keeps_its_bytes(tmp_path: Path) -> None:
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    (tmp_path / "shared.py").write_text("shared")
    os.link(tmp_path / "shared.py", tmp_path / "to" / "a.py")
    (tmp_path / "from" / "a.py").write_text("own")

    move_into(tmp_path / "from", ["a.py"], tmp_path / "to")

    assert (tmp_path / "to" / "a.py").read_text() == "own"
    assert (tmp_path / "shared.py").read_text() == "shared"


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.py").write_text("a")
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "way").symlink_to(tmp_path / "elsewhere")

    assert list(files_of(tmp_path / "from")) == []


@pytest.mark.parametrize("wheel_has", ["a", "a/b"])
def test_a_file_in_the_place_of_a_directory_is_an_error(tmp_path: Path, wheel_has: str) -> None:
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    new, old = (tmp_path / "from" / wheel_has, tmp_path / "to" / ("a/b" if wheel_has == "a" else "a"))
    for path in (new, old):
        path.parent.mkdir(exist_ok=True)
        path.write_text("")

    with pytest.raises((FileExistsError, IsADirectoryError, NotADirectoryError)):
        move_into(tmp_path / "from", [wheel_has], tmp_path / "to")
