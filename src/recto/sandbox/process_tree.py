"""The processes of one run, also those that left its session or lost their parent, and their end.

Linux only: it reads /proc (proc(5)).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

MARK = "RECTO_RUN"

# How long killing is repeated. A killed process in an uninterruptible wait (a hung network file system) may outlive
# this; the kernel ends it when the wait ends.
_KILL_SECONDS_MAX = 10.0
_PAUSE_SECONDS = 0.005

# Strings and descriptors instead of `pathlib` and files: a look is part of each run, and reads as many files as the
# machine has processes.
_PROC = "/proc"
_READ_BYTES = 65_536


class _Living(Struct, frozen=True):
    """One process; `started`, in clock ticks since boot, tells it from a later one with the same id."""

    pid: int
    started: int
    parent: int
    session: int
    state: str


class ProcessTree:
    """The processes that descend from `leader`, whose environment holds `mark`. They are ours, or those of `user`.

    Found: everything in the leader's session, everything whose environment holds the mark, all descendants of these,
    and what an earlier look found. Not found: a process that dropped its environment, left the session and lost its
    parent between two looks.
    """

    def __init__(self, leader: int, mark: str, user: int | None = None) -> None:
        self._leader = leader
        self._users = frozenset({os.geteuid()} if user is None else {os.geteuid(), user})
        self._mark = mark.encode()
        self._known: frozenset[tuple[int, int]] = frozenset()
        # Unreaped until its run is over, so it is there. Whoever is older is not its descendant: not asked further.
        self._started = _fields(leader).started

    def look(self) -> frozenset[int]:
        """The process ids that are alive now; zombies do not count."""
        alive = {process.pid: process for process in _processes(self._users)}
        found = {process.pid for process in alive.values() if self._belongs(process)}
        while more := {pid for pid, process in alive.items() if process.parent in found} - found:
            found |= more
        found.discard(os.getpid())
        self._known = frozenset((pid, alive[pid].started) for pid in found)
        return frozenset(found)

    def terminate(self) -> None:
        """Asks the leader's process group to end (SIGTERM); returns at once."""
        self.look()
        with suppress(ProcessLookupError):
            os.killpg(self._leader, signal.SIGTERM)

    def kill(self) -> None:
        """Kills (SIGKILL) until no member is found, for at most ten seconds."""
        give_up = time.monotonic() + _KILL_SECONDS_MAX
        while (members := self.look()) and time.monotonic() < give_up:
            for pid in members:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_PAUSE_SECONDS)

    def _belongs(self, process: _Living) -> bool:
        return (
            self._leader in (process.pid, process.session)
            or (process.pid, process.started) in self._known
            or (process.started >= self._started and self._mark in _environ(process.pid))
        )


def _processes(users: frozenset[int]) -> Iterator[_Living]:
    """Every living process of these users."""
    for name in os.listdir(_PROC):  # noqa: PTH208
        if not name.isdecimal():
            continue
        # A process may end between the listing and the reading: then it is no longer of interest.
        with suppress(FileNotFoundError, ProcessLookupError):
            if os.stat(f"{_PROC}/{name}").st_uid not in users:  # noqa: PTH116
                continue
            process = _fields(int(name))
            if process.state not in "ZX":
                yield process


def _fields(pid: int) -> _Living:
    # The name in parentheses may hold blanks and parentheses itself: what counts stands behind the last one.
    fields = _read(pid, "stat").rpartition(b") ")[2].split()
    return _Living(pid, int(fields[19]), int(fields[1]), int(fields[3]), fields[0].decode())


def _environ(pid: int) -> bytes:
    """The environment that a process was started with; nothing where it ended or changed its user."""
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        return _read(pid, "environ")
    return b""


def _read(pid: int, name: str) -> bytes:
    descriptor = os.open(f"{_PROC}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, _READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
