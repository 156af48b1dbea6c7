"""The port of the sandbox room: one command, contained, and what came of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct, field

Network = Literal["none", "index", "host"]
Stop = Literal["exited", "timed-out", "cancelled"]


class Limits(Struct, frozen=True):
    """What one command may use at most; None is no limit."""

    wall_seconds: float | None = None
    # What is kept of each output stream: the first and the last half of it. The rest is read and dropped, so that a
    # command that prints a gigabyte neither blocks nor fills the memory.
    output_bytes: int = 4_000_000


class Command(Struct, frozen=True):
    """One argv with everything it may see.

    `environment` is the whole environment of the child. `read_only` and `writable` are the paths that the command
    needs (a mechanism that cannot hide the rest says so). `keep_open` are file descriptors that it inherits: leases.
    """

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    read_only: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    network: Network = "none"
    keep_open: tuple[int, ...] = ()
    stdin: bytes = b""
    limits: Limits = field(default_factory=Limits)


class Outcome(Struct, frozen=True):
    """How a command ended. `code` is the exit status, negative for the signal that killed it, as in subprocess.

    `memory_kills` is how many processes the kernel killed meanwhile because memory ran out, of this command or beside
    it, as far as the mechanism can tell.
    """

    code: int
    stop: Stop
    stdout: bytes
    stderr: bytes
    seconds: float
    memory_kills: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether it exited by itself with status 0."""
        return self.stop == "exited" and self.code == 0

    @property
    def out_of_memory(self) -> bool:
        """Whether it was killed, and the kernel killed something because memory ran out."""
        return self.code == -signal.SIGKILL and self.memory_kills > 0


OnLine = Callable[[bytes], None]


class Sandbox(Protocol):
    """A mechanism that runs commands."""

    name: str

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        """The outcome of the command; when this returns (or raises), no process of its tree is left.

        `on_stdout` and `on_stderr` get each line as it comes, without its newline, on the calling thread. `cancelled`
        is asked a few times a second. Raises FileNotFoundError or PermissionError where argv[0] cannot be run.
        """
        ...
