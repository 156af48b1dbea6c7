"""Locks of wheels, and a place to build them in."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from recto.builder import Built, Order
from recto.builder.finishing import BytecodeFinisher
from recto.builder.uv_builder import UvBuilder
from recto.builder.workbench import Workbench
from recto.interpreters import Base
from recto.progress import Event


def lock_of(*wheels: Path, sha256: str | None = None) -> Pylock:
    """A lock of wheels on this disk; `sha256` replaces their hashes."""
    packages = [
        {
            "name": canonicalize_name(wheel.name.split("-")[0]),
            "version": wheel.name.split("-")[1],
            "wheels": [
                {
                    "path": str(wheel),
                    "size": wheel.stat().st_size,
                    "hashes": {"sha256": sha256 or hashlib.sha256(wheel.read_bytes()).hexdigest()},
                }
            ],
        }
        for wheel in wheels
    ]
    return Pylock.from_dict({"lock-version": "1.0", "created-by": "tests", "packages": packages})


def order_of(base: Base, *wheels: Path) -> Order:
    """An order of all of these wheels."""
    lock = lock_of(*wheels)
    return Order(lock, tuple(package.name for package in lock.packages), base)


@dataclass
class Workshop:
    """Builds in a directory of its own; keeps the events of the last build."""

    workbench: Workbench
    root: Path
    events: list[Event] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        """Where the environment is built."""
        return self.root / "env"

    def build(self, order: Order, cancelled: Callable[[], bool] | None = None) -> Built:
        """Builds into an empty place."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.events.clear()
        return UvBuilder(self.workbench).build(order, self.directory, self.events.append, cancelled)

    def finish(self, order: Order, built: Built) -> int:
        """Gives the environment the bytecode that it lacks; how many bytes came to what is kept."""
        grown: list[int] = []
        finisher = BytecodeFinisher(self.workbench)
        finisher.finish(order.base, built.unfinished, lambda: nullcontext(self.directory), grown.append)
        return sum(grown)

    def compiled(self, package: str) -> dict[str, Path]:
        """The compiled files of a package in the environment, by their modules."""
        found = sorted(self.directory.rglob(f"{package}/__pycache__/*.pyc"))
        return {path.name.split(".")[0]: path for path in found}

    def run(self, *argv: str, code: int = 0) -> str:
        """What a program of the environment says, on both streams."""
        program = [str(self.directory / "bin" / argv[0]), *argv[1:]]
        done = subprocess.run(program, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def python(self, code: str) -> str:
        """What this code prints in the environment."""
        return self.run("python", "-c", code).strip()
