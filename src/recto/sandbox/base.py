"""The port of the sandbox room: one command, contained, and what came of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import Struct, field

Network = Literal["none", "index", "host"]
# `disk-limit` is the command's own limit, `disk-full` the floor of the volume, whoever filled it.
Stop = Literal["exited", "timed-out", "cancelled", "disk-limit", "disk-full"]
# What a limit is kept by, from the most to the least exact; `process` is each process by itself, not all together.
Tier = Literal["cgroup-v2", "cgroup-v1", "filesystem", "watched", "process", "none"]


class Limits(Struct, frozen=True):
    """What one command may use at most; None is no limit.

    `memory_bytes`, `processes` and `cpus` count all processes of the command together where control groups can be
    written; else each process has the memory by itself, and the processes of the user count together.
    """

    wall_seconds: float | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    # CPU time a second of wall time, 1.5 is one and a half cores; and CPU seconds of one process.
    cpus: float | None = None
    cpu_seconds: int | None = None
    open_files: int | None = None
    # Of one file, and of all that the command adds to the paths that it may write.
    file_bytes: int | None = None
    disk_bytes: int | None = None
    # The private `/tmp` and shared memory of a mechanism that gives a command its own, each.
    scratch_bytes: int = 256_000_000
    # What is kept of each output stream: the first and the last half of it. The rest is read and dropped, so that a
    # command that prints a gigabyte neither blocks nor fills the memory.
    output_bytes: int = 4_000_000


def tightened(limits: Limits, other: Limits) -> Limits:
    """The stricter of each limit."""

    def strictest(name: str) -> Any:
        given = [value for one in (limits, other) if (value := getattr(one, name)) is not None]
        return min(given, default=None)

    return Limits(**{name: strictest(name) for name in Limits.__struct_fields__})


class Command(Struct, frozen=True):
    """One argv with everything it may see.

    `environment` is the whole environment of the child. `read_only` and `writable` are the paths that the command
    needs (a mechanism that cannot hide the rest says so); the deeper of two wins. Links cannot be made between two
    writable paths unless both lie below `link_root`, which is then shown as one, with everything else in it hidden.
    `leases` are file descriptors that live as long as the command does, also when we are killed; `keep_open` are those
    that it uses itself.
    """

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    read_only: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    network: Network = "none"
    link_root: Path | None = None
    leases: tuple[int, ...] = ()
    keep_open: tuple[int, ...] = ()
    stdin: bytes = b""
    limits: Limits = field(default_factory=Limits)


class Outcome(Struct, frozen=True):
    """How a command ended. `code` is the exit status, negative for the signal that killed it, as in subprocess.

    `memory_kills` is how many processes the kernel killed meanwhile because memory ran out, of this command or beside
    it, as far as the mechanism can tell; `refused_processes` how many it refused to start at the limit. `tiers` says
    by what each limit was kept: `memory`, `processes`, `cpus`, `disk`.
    """

    code: int
    stop: Stop
    stdout: bytes
    stderr: bytes
    seconds: float
    memory_kills: int = 0
    refused_processes: int = 0
    tiers: Mapping[str, Tier] = field(default_factory=dict)

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
        is asked when it has begun and then a few times a second. Raises FileNotFoundError or PermissionError where
        argv[0] cannot be run.
        """
        ...
