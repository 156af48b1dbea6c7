"""The curated base: a virtual environment with what documents may use without asking, and what engines need.

Built beside its place and put there in one step, so that whoever looks sees the old one, or the new one whole. The
list of packages and the interpreter are kept in it; the same list again is no work.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path

import tomli_w
from msgspec import Struct

from recto.builder.base import Order
from recto.builder.bytecode import Bytecode
from recto.builder.commands import Commands, no_failpoint
from recto.builder.exchange import put_in_place
from recto.builder.finishing import complete
from recto.builder.fonts import keep_fonts
from recto.builder.kernelspec import write_kernelspec
from recto.builder.proof import prove, watch
from recto.builder.workbench import Workbench
from recto.interpreters import Base, probe
from recto.problems import BaseError, problem
from recto.progress import Event, Progress, silent

# The steps where a test may kill the process to see what is left.
FAILPOINTS = ("installed", "proven", "recorded", "placed")

RECORD = "recto-base.json"
LOCK = "pylock.toml"


def curated_requirements() -> str:
    """The list that a base is made of where the operator gives none."""
    return files("recto.builder").joinpath("base-requirements.txt").read_text(encoding="utf-8")


class BaseBuilder(Struct, frozen=True):
    """Makes bases with uv."""

    workbench: Workbench
    seconds_max: float = 1800.0
    failpoint: Callable[[str], None] = no_failpoint

    def build(
        self,
        python: Path,
        directory: Path,
        requirements: Path | None = None,
        *,
        upgrade: bool = False,
        progress: Progress = silent,
    ) -> Path:
        """The interpreter of a proven base at `directory`, over the interpreter `python`.

        Nothing is done where `directory` holds a base of the same list and Python, unless `upgrade` asks for today's
        versions. Raises BaseError, or BuildError with the problems of the installer. One process builds at a time.
        """
        text = curated_requirements() if requirements is None else requirements.read_text(encoding="utf-8")
        under = probe(python)
        record = {"requirements": text, "python": under.identity.version, "interpreter": str(under.python)}
        directory.parent.mkdir(parents=True, exist_ok=True)
        self.workbench.cache.mkdir(parents=True, exist_ok=True)
        with _alone(directory):
            held = _holds(directory, record)
            if upgrade or not held:
                with tempfile.TemporaryDirectory(prefix=_staging(directory), dir=directory.parent) as scratch:
                    self._build(under, text, record, directory, Path(scratch), progress)
        return directory / "bin" / "python"

    def _build(
        self, under: Base, text: str, record: Mapping[str, str], directory: Path, scratch: Path, progress: Progress
    ) -> None:
        commands = Commands(self.workbench.sandbox, under, scratch, self.seconds_max)
        progress(Event("resolving", "the packages of the base"))
        lock = self.workbench.tool.resolve(text, commands)
        made = scratch / "base"
        order = Order(lock, tuple(package.name for package in lock.packages), under)
        installed = self.workbench.installer.install(
            order, made, commands, progress, lambda: self.workbench.tool.make_environment(made, commands)
        )
        self.failpoint("installed")
        write_kernelspec(made)
        progress(Event("installing", "compiling bytecode"))
        unfinished = {name: key.digest for name, key in installed.unfinished.items()}
        # Nobody waits for less than a whole base: every environment over it would pay for what is missing.
        complete(Bytecode(self.workbench.bytecode), commands, unfinished, lambda: nullcontext(made), lambda grown: None)
        progress(Event("proving", "starting a kernel"))
        prove(commands, made)
        self.failpoint("proven")
        (made / LOCK).write_text(tomli_w.dumps(lock.to_dict()), encoding="utf-8")
        (made / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        self.failpoint("recorded")
        put_in_place(made, directory)
        self.failpoint("placed")
        base = probe(directory / "bin" / "python")
        watching = Commands(self.workbench.sandbox, base, scratch, self.seconds_max)
        self.workbench.kept_starts.keep(base, watch(watching))
        keep_fonts(watching, self.workbench.fonts)
        progress(Event("ready", "the base is ready"))


def _holds(directory: Path, record: Mapping[str, str]) -> bool:
    """Whether a base of this record stands there; raises BaseError where something else does, to leave it alone."""
    if not directory.exists() or not any(directory.iterdir()):
        return False
    try:
        held = json.loads((directory / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        reason = f"`{directory}` is not empty and is no base that Recto made"
        raise BaseError(problem("base-unusable", path=directory / "bin" / "python", reason=reason)) from None
    return bool(held == record)


def _staging(directory: Path) -> str:
    return f"{directory.name}-staging-"


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Holds the only right to build at this place, and removes what a killed builder left."""
    with directory.with_name(f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in directory.parent.glob(f"{_staging(directory)}*"):
            shutil.rmtree(left)
        yield
