"""Commands of a build that exceed what they may use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fakes import base
from limited import MEGABYTE, Limited
from recto.builder.commands import Commands
from recto.problems import BuildError
from recto.sandbox.base import Limits
from recto.sandbox.limits.hierarchies import places

needs_groups = pytest.mark.skipif(
    not {"memory", "pids"} <= frozenset().union(*(place.controllers for place in places())),
    reason="this process may not make control groups for memory and processes",
)


def code_of(code: str, limits: Limits, tmp_path: Path) -> str:
    commands = Commands(Limited(limits), base(tmp_path), tmp_path, 100.0)
    with pytest.raises(BuildError) as caught:
        commands.run((sys.executable, "-I", "-S", "-c", code), {})
    (found,) = caught.value.problems
    return found.code


def test_a_build_that_writes_too_much_is_told_so(tmp_path: Path) -> None:
    code = "for n in range(100): open(f'{n}', 'wb').write(bytes(100_000))"

    assert code_of(code, Limits(disk_bytes=2 * MEGABYTE), tmp_path) == "disk-limit"


@needs_groups
@pytest.mark.parametrize(
    ("code", "limits", "expected"),
    [
        ("bytearray(400_000_000)", Limits(memory_bytes=60 * MEGABYTE), "out-of-memory"),
        ("import os\nwhile True: os.fork()", Limits(processes=20), "process-limit"),
    ],
)
def test_a_build_that_takes_too_much_is_told_so(code: str, limits: Limits, expected: str, tmp_path: Path) -> None:
    assert code_of(code, limits, tmp_path) == expected
