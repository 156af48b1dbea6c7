"""Commands under limits, as a mechanism runs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from msgspec.structs import replace

from recto.sandbox.base import Command, Limits, OnLine, Outcome
from recto.sandbox.limits.keeping import Limiter
from recto.sandbox.supervise import supervise

MEGABYTE = 1_000_000


def python(code: str, *arguments: str, cwd: Path, limits: Limits, stdin: bytes = b"") -> Command:
    """The command that runs this code in an isolated interpreter and may write below `cwd`."""
    argv = (sys.executable, "-I", "-S", "-c", code, *arguments)
    return Command(argv, cwd, {}, writable=(cwd,), limits=limits, stdin=stdin)


def run(
    command: Command,
    limiter: Limiter | None = None,
    *,
    on_stdout: OnLine | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Outcome:
    """The outcome of a command within its limits."""
    with (limiter or Limiter()).keep(command) as keeper:
        return supervise(command, keeper=keeper, on_stdout=on_stdout, cancelled=cancelled)


class Limited:
    """The sandbox that contains nothing but keeps these limits beside the time of each command."""

    name = "limited"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._limiter = Limiter()
        self.outcomes: list[Outcome] = []

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        """As the port says."""
        limits = replace(self._limits, wall_seconds=command.limits.wall_seconds)
        limited = replace(command, limits=limits)
        with self._limiter.keep(limited) as keeper:
            outcome = supervise(limited, keeper=keeper, on_stdout=on_stdout, on_stderr=on_stderr, cancelled=cancelled)
        self.outcomes.append(outcome)
        return outcome


def alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
