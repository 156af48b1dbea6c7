"""The commands of one render: each contained, all within one time limit, what they say kept as the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from recto.engines.base import Job
from recto.engines.jupyter.stopping import Stopped
from recto.problems import EngineError, problem
from recto.problems.diagnosis import clean, decode
from recto.sandbox.base import Command, Limits, OnLine, Outcome, Sandbox, Stop
from recto.sandbox.containment import Containment
from recto.sandbox.exceeded import exceeded


class Access(Struct, frozen=True):
    """The paths that one command needs."""

    read_only: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()


class Commands:
    """Runs commands for `job` in `sandbox` until its time is up or `cancelled` says so."""

    def __init__(self, sandbox: Sandbox, job: Job, cancelled: Callable[[], bool] | None = None) -> None:
        self.sandbox = sandbox
        self.job = job
        self.cancelled = cancelled
        self.deadline = time.monotonic() + job.seconds_max
        self.said: list[str] = []
        # Of all commands so far.
        self.containment: Containment | None = None

    @property
    def log(self) -> str:
        """What the commands wrote to stderr so far."""
        return "\n".join(self.said)

    def run(
        self,
        argv: tuple[str, ...],
        cwd: Path,
        environment: Mapping[str, str],
        access: Access,
        on_stdout: OnLine | None = None,
    ) -> Outcome:
        """As `perform`, of a command within the render's time."""
        command = Command(
            argv=argv,
            cwd=cwd,
            environment=environment,
            read_only=access.read_only,
            writable=access.writable,
            leases=self.job.keep_open,
            limits=Limits(wall_seconds=self.seconds_left, disk_bytes=self.job.disk_bytes_max),
        )
        return self.perform(command, on_stdout)

    @property
    def seconds_left(self) -> float:
        """What is left of the render's time; never nothing, so that a command is ended by its limit."""
        return max(0.1, self.deadline - time.monotonic())

    def perform(self, command: Command, on_stdout: OnLine | None = None) -> Outcome:
        """The outcome of a command that ended by itself; raises Stopped where it was ended, EngineError where it
        could not be started."""
        try:
            outcome = self.sandbox.run(command, on_stdout=on_stdout, cancelled=self.cancelled)
        except (FileNotFoundError, PermissionError) as error:
            raise EngineError(problem("render-failed", reason=f"`{command.argv[0]}` cannot be started")) from error
        return self.judged(outcome)

    def stop(self) -> Stop | None:
        """Why a command that runs now has to end, if it has to."""
        if self.cancelled is not None and self.cancelled():
            return "cancelled"
        return "timed-out" if time.monotonic() >= self.deadline else None

    def judged(self, outcome: Outcome) -> Outcome:
        """The outcome, its words in the log; raises Stopped where the command did not end by itself."""
        self.containment = Containment(self.sandbox.name, outcome.tiers).beside(self.containment)
        if said := clean(decode(outcome.stderr)).strip():
            self.said.append(said)
        if outcome.stop == "timed-out":
            raise Stopped("timedout", problem("render-timeout", seconds=f"{self.job.seconds_max:g}"))
        if outcome.stop == "cancelled":
            raise Stopped("terminated", problem("render-stopped"))
        if outcome.stop != "exited" and (found := exceeded(outcome)) is not None:
            raise Stopped("failure", found)
        return outcome
