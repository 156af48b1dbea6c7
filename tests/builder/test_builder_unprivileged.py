"""Kept bytecode for a user who is not root, whom the modes of files and directories bind."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recto.builder.bytecode import Bytecode, BytecodeKey

NOBODY = 65534
KEY = BytecodeKey("a" * 32)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that another user can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield Path(name)


def as_a_user(act: Callable[[], None]) -> int:
    """The exit code of `act` in a process without root's rights."""

    def run() -> None:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        act()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    code = process.exitcode
    assert code is not None
    return code


def publish(bytecode: Bytecode, content: bytes) -> int:
    """Keeps one compiled file."""
    with bytecode.area() as area:
        made = area / "made.pyc"
        made.write_bytes(content)
        return bytecode.publish(KEY, {"spam/__pycache__/spam.pyc": made}, ())


def test_an_entry_is_published_sealed_dropped_and_made_again(place: Path) -> None:
    def act() -> None:
        bytecode = Bytecode(place / "bytecode")
        assert publish(bytecode, b"first") > 0
        assert publish(bytecode, b"second") == 0
        kept = bytecode.compiled(KEY)
        assert kept is not None
        assert kept.directory.stat().st_mode & 0o777 == 0o555
        assert (kept.directory / "0").read_bytes() == b"first"
        assert bytecode.drop(KEY) > 0
        assert bytecode.compiled(KEY) is None
        assert publish(bytecode, b"second") > 0
        assert bytecode.sweep() > 0
        assert list((place / "bytecode" / "making").iterdir()) == []

    assert as_a_user(act) == 0
