"""Landlock as this machine can have it, and a place in which it contains commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containing import IS_ROOT, PLAIN, PYTHON
from recto.sandbox.base import Command, Outcome
from recto.sandbox.identity import Identity
from recto.sandbox.landlock import Landlock
from recto.sandbox.landlock.ruleset import LEAST_VERSION, version

Run = Callable[..., Outcome]
Control = Callable[..., str]


@pytest.fixture(scope="session")
def landlock() -> Landlock:
    """The mechanism."""
    if version() < LEAST_VERSION:
        pytest.skip(f"Landlock has version {version()} here, and the mechanism needs {LEAST_VERSION}")
    return Landlock(Identity.here(PLAIN))


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that a plain user can reach, unlike pytest's; all in it is theirs, and each part holds a marker."""
    root = Path(tempfile.mkdtemp(prefix="recto-test-"))
    root.chmod(0o755)
    for name in ("work", "shown", "hidden"):
        (root / name).mkdir()
        (root / name / "marker").write_text(f"the {name} marker")
        if IS_ROOT:
            for path in (root / name, root / name / "marker"):
                os.chown(path, PLAIN, PLAIN)
    yield root
    shutil.rmtree(root)


@pytest.fixture
def run(landlock: Landlock, place: Path) -> Run:
    """Runs code in `work` with `shown` to read; more fields of the command by name."""

    def call(code: str, *arguments: object, observe: dict[str, object] | None = None, **more: object) -> Outcome:
        fields: dict[str, object] = {
            "argv": (PYTHON, "-I", "-S", "-c", code, *(str(it) for it in arguments)),
            "cwd": place / "work",
            "environment": {},
            "read_only": (place / "shown", Path(sys.prefix), Path(sys.base_prefix)),
            "writable": (place / "work",),
            **more,
        }
        return landlock.run(Command(**fields), **(observe or {}))  # type: ignore[arg-type]

    return call


@pytest.fixture
def control(place: Path) -> Control:
    """What the same code prints as the same user, uncontained."""

    def call(code: str, *arguments: object) -> str:
        become = {"user": PLAIN, "group": PLAIN, "extra_groups": []} if IS_ROOT else {}
        argv = (PYTHON, "-I", "-S", "-c", code, *(str(it) for it in arguments))
        done = subprocess.run(argv, cwd=place / "work", env={}, capture_output=True, check=True, **become)  # type: ignore[call-overload]
        return str(done.stdout.decode())

    return call
