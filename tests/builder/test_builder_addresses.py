"""Addresses lead to one environment at a time, and are used again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from recto.aside import Aside
from recto.builder.addresses import address


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two environments over one interpreter."""
    for name in ("one", "two"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "python").symlink_to(sys.executable)
    return tmp_path / "one", tmp_path / "two"


def test_an_address_is_used_again(tmp_path: Path, places: tuple[Path, Path]) -> None:
    with address(tmp_path / "addresses", places[0]) as first:
        assert first.resolve() == places[0]
    with address(tmp_path / "addresses", places[1]) as second:
        assert second == first
        assert second.resolve() == places[1]
    assert not os.path.lexists(first)


def test_two_builds_at_once_have_two_addresses(tmp_path: Path, places: tuple[Path, Path]) -> None:
    with address(tmp_path / "addresses", places[0]) as first, address(tmp_path / "addresses", places[1]) as second:
        assert (first.resolve(), second.resolve()) == places


def test_an_address_that_a_killed_build_left_is_taken_over(tmp_path: Path, places: tuple[Path, Path]) -> None:
    with address(tmp_path / "addresses", places[0]) as first:
        pass
    first.symlink_to(tmp_path / "gone")
    with address(tmp_path / "addresses", places[1]) as second:
        assert second == first
        assert second.resolve() == places[1]


def test_work_aside_has_ended_when_its_block_has() -> None:
    done: list[str] = []
    with Aside(lambda: done.append("work")) as aside:
        pass
    assert done == ["work"]
    assert aside.result() is None


def test_an_error_of_work_aside_reaches_whoever_asks_for_its_result() -> None:
    def fail() -> None:
        raise OSError("no room")

    with Aside(fail) as aside:
        pass
    with pytest.raises(OSError, match="no room"):
        aside.result()
