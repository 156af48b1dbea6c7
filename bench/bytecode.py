"""Whether an environment's bytecode is finished: every source of its wheels that compiles has its compiled file."""

from __future__ import annotations

import csv
import time
import warnings
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

_POLL_SECONDS = 0.05

# A set of the size of the rows' compiles in half a minute on one slow core.
BYTECODE_SECONDS_MAX = 300.0


def unfinished(prefix: Path) -> list[Path]:
    """The source files below the packages of `prefix` that have no bytecode; those that do not compile are left out."""
    return [path for path in _without(prefix) if _compiles(path)]


def finished(prefix: Path) -> bool:
    """Whether every source file that compiles has its bytecode."""
    return not any(_compiles(path) for path in _without(prefix))


def seconds_until_finished(prefix: Path, seconds_max: float) -> float:
    """Waits for the bytecode, which a process of its own may be writing; raises after `seconds_max`."""
    started = time.perf_counter()
    while not finished(prefix):
        if time.perf_counter() - started > seconds_max:
            missing = unfinished(prefix)
            raise RuntimeError(
                f"{len(missing)} files are without bytecode after {seconds_max:g} s, such as {missing[0]}"
            )
        time.sleep(_POLL_SECONDS)
    return time.perf_counter() - started


def _without(prefix: Path) -> list[Path]:
    (site,) = prefix.glob("lib/python*/site-packages")
    sources = (path for metadata in site.glob("*.dist-info") for path in recorded(site, metadata))
    return [path for path in sources if path.suffix == ".py" and not Path(cache_from_source(str(path))).exists()]


def recorded(site: Path, metadata: Path) -> list[Path]:
    """The files of a distribution that are there, as its `RECORD` lists them, without scripts and bytecode.

    Those two are made by installers and are not of the wheel.
    """
    with (metadata / "RECORD").open(encoding="utf-8", newline="") as record:
        names = [Path(line[0]) for line in csv.reader(record) if line]
    wheels = [name for name in names if name.parts[:4] != ("..", "..", "..", "bin") and name.suffix != ".pyc"]
    return [path for name in wheels if (path := site / name).exists()]


@cache
def _compiles(path: Path) -> bool:
    # Packages ship templates and tests of syntax errors, which nobody can compile.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):
            return False
    return True
