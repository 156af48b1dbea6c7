"""The commands of one build: run in the sandbox, within one time limit, their text kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path

from msgspec import Struct, field

from recto.interpreters import Base
from recto.problems import BuildError, Cancelled, problem
from recto.sandbox.base import Command, Limits, Network, OnLine, Outcome, Sandbox
from recto.sandbox.containment import Containment
from recto.sandbox.exceeded import exceeded


def no_failpoint(step: str) -> None:
    """Goes on."""


class Commands(Struct):
    """Runs the commands of one build, all within `seconds_max` from the first use of this value.

    `disk_bytes_max` is what each may add to the disk, where the sandbox can hold it to that.
    `scratch` is the directory that they run in and may write, apart from what each names. `base` is always readable.
    """

    sandbox: Sandbox
    base: Base
    scratch: Path
    seconds_max: float
    cancelled: Callable[[], bool] | None = None
    clock: Callable[[], float] = time.monotonic
    disk_bytes_max: int | None = None
    _started: float = 0.0
    _log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def log(self) -> str:
        """What was run and all that was said so far, without credentials."""
        from recto.problems.diagnosis.redact import redacted

        return redacted("".join(self._log))

    def note(self, text: str) -> None:
        """Adds a line of our own to the log."""
        self._log.append(f"{text}\n\n")

    def within(self, scratch: Path) -> Commands:
        """The same commands, within the same time and with the same log, for which `scratch` is all they may write."""
        inner = copy(self)
        inner.scratch = scratch
        return inner

    def run(
        self,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        read_only: tuple[Path, ...] = (),
        writable: tuple[Path, ...] = (),
        link_root: Path | None = None,
        network: Network = "none",
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
    ) -> Outcome:
        """How the command ended by itself.

        Raises BuildError (`cap-build-time` or what `exceeded` tells) or Cancelled where it was ended.
        """
        left = self.seconds_max - (self.clock() - self._started)
        if left <= 0:
            raise self._late()
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(problem("cancelled"))
        command = Command(
            argv=argv,
            cwd=self.scratch,
            environment=environment,
            read_only=(*self.base.roots, *read_only),
            writable=(self.scratch, *writable),
            link_root=link_root,
            network=network,
            limits=Limits(wall_seconds=left, disk_bytes=self.disk_bytes_max),
        )
        outcome = self.sandbox.run(command, on_stdout=on_stdout, on_stderr=on_stderr, cancelled=self.cancelled)
        self._record(argv, outcome)
        if outcome.stop == "timed-out":
            raise self._late()
        if outcome.stop == "cancelled":
            raise Cancelled(problem("cancelled"))
        if (found := exceeded(outcome)) is not None:
            raise BuildError(found, self.log)
        return outcome

    def _late(self) -> BuildError:
        return BuildError(problem("cap-build-time", seconds=f"{self.seconds_max:g}"), self.log)

    def _record(self, argv: tuple[str, ...], outcome: Outcome) -> None:
        # A script given with -c is ours, and long.
        shown = " ".join("…" if "\n" in word else word for word in argv)
        said = (outcome.stdout + outcome.stderr).decode("utf-8", "replace").rstrip()
        self._log.append(f"$ {shown}\n" + (f"{said}\n" if said else ""))
        contained = Containment(self.sandbox.name, outcome.tiers).words
        self._log.append(f"({outcome.stop}, status {outcome.code}, {outcome.seconds:.2f} s; {contained})\n\n")
