"""Timing: whole processes and calls, medians with their spread."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """Seconds of each repetition."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        spread = f"{shown(min(self.seconds))}–{shown(max(self.seconds))}"
        return f"{shown(self.median)} ({spread}, n={len(self.seconds)})"


def shown(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def repeat(times: int, act: Callable[[], object], before: Callable[[], object] = lambda: None) -> Sample:
    """`act` timed so many times; `before` runs untimed in front of each."""
    seconds = []
    for _ in range(times):
        before()
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return Sample(tuple(seconds))


def process(argv: list[object], variables: Mapping[str, str], cwd: Path | None = None) -> None:
    """A whole process, its output thrown away; raises with its words when it fails."""
    done = subprocess.run([str(part) for part in argv], env=dict(variables), cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} exited with {done.returncode}:\n{done.stderr[-2000:]}")
