"""Timing: whole processes and calls, contenders in turns, medians with their spread."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Unit = Literal["s", "bytes", "files", "builds"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured, once for each repetition."""

    values: tuple[float, ...]
    unit: Unit = "s"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{shown(self.median, self.unit)} (n=1)"
        spread = f"{shown(min(self.values), self.unit)}–{shown(max(self.values), self.unit)}"
        return f"{shown(self.median, self.unit)} ({spread}, n={len(self.values)})"


def shown(value: float, unit: Unit) -> str:
    """An amount in the size of unit that suits it."""
    if unit in ("files", "builds"):
        return f"{value:g} {unit if value != 1 else unit.removesuffix('s')}"
    scales = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if unit == "bytes" else (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
    for name, scale in scales:
        if abs(value) >= scale:
            return f"{_three_digits(value / scale)} {name}"
    name, scale = scales[-1]
    return f"{_three_digits(value / scale)} {name}"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to time: `act`, with `before` untimed in front of each. `times` is less for what is too slow."""

    act: Callable[[], object]
    before: Callable[[], object] = lambda: None
    times: int | None = None


def in_turns(times: int, contenders: Mapping[str, Contender], settle: bool = False) -> dict[str, Sample]:
    """Each contender timed so many times, all of them in each round, so that a busy minute is everybody's.

    With `settle`, what was written before is brought to the disk first, so that nobody pays for the one before.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for done in range(times):
        for name, contender in contenders.items():
            if contender.times is None or done < contender.times:
                contender.before()
                if settle:
                    os.sync()
                seconds[name].append(timed(contender.act))
    return {name: Sample(tuple(taken)) for name, taken in seconds.items()}


def timed(act: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def process(argv: Iterable[object], variables: Mapping[str, str], cwd: Path | None = None) -> None:
    """A whole process, its output thrown away; raises with its words when it fails."""
    words = [str(part) for part in argv]
    done = subprocess.run(words, env=dict(variables), cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words[0]} exited with {done.returncode}:\n{done.stderr[-2000:]}")
