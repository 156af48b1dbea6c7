"""The limits of one command, put in force before it begins and accounted for when it has ended."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recto.aside import Aside
from recto.sandbox.base import Command, Stop, Tier
from recto.sandbox.limits.cgroups import Group, clear, start_of_names
from recto.sandbox.limits.disk import DiskWatch
from recto.sandbox.limits.gate import gated, let_in
from recto.sandbox.limits.guardian import Guardian
from recto.sandbox.limits.hierarchies import Place, places
from recto.sandbox.limits.rlimits import restrict


def _nothing() -> None:
    """Most commands are ready before their process is."""


class Keeper:
    """What keeps one command within its limits."""

    def __init__(
        self, command: Command, group: Group, disk: DiskWatch, uid: int, meanwhile: Callable[[], None]
    ) -> None:
        self._command = command
        self._group = group
        self._disk = disk
        self._uid = uid
        self._meanwhile = meanwhile
        self.tiers: dict[str, Tier] = dict(group.tiers)
        if command.limits.disk_bytes is not None:
            self.tiers["disk"] = "watched"

    def waiting(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The words of a process that waits for `admit` before it becomes `argv`; its input has to be a pipe."""
        return gated(argv, self._command.environment, self._command.stdin)

    def admit(self, child: subprocess.Popen[bytes]) -> None:
        """Puts a child that waits under the limits and lets it begin; raises SandboxError where a limit fails."""
        self.tiers |= restrict(child.pid, self._command.limits, self.tiers, self._uid)
        # The kernel waits for all its processors before it lets somebody into a group: ten milliseconds.
        with Aside(lambda: self._group.join(child.pid)) as joining:
            self._meanwhile()
            joining.result()
        let_in(child, self._command.stdin)

    def watch(self) -> Stop | None:
        """Why the command has to end, if it has to; asked a few times a second."""
        return self._disk.watch()

    def last(self) -> Stop | None:
        """Which limit was exceeded unseen, once the command has ended."""
        return self._disk.last()

    def kill(self) -> None:
        """Ends every process that is in the command's group."""
        self._group.kill()

    @property
    def exact(self) -> bool:
        """Whether `kill` ends every process of the command for certain."""
        return self._group.exact

    @property
    def memory_kills(self) -> int | None:
        """How many processes of the command were killed for their memory; None where nobody counts them alone."""
        return self._group.memory_kills

    @property
    def throttled(self) -> int | None:
        """In how many tenths of a second the command had to wait for its share; None where nobody counts them."""
        return self._group.throttled

    @property
    def refused_processes(self) -> int:
        """How often the command was refused a process or a thread, as far as this is counted."""
        return self._group.refused_processes or 0


class Limiter:
    """Keeps commands within their limits; a command whose limits cannot be put in force does not begin.

    By what each limit can be kept is found out at the first use, and said by `Keeper.tiers`: a control group that
    counts all processes together, where one can be made, else each process by itself. `free_bytes_min` is what must
    stay free on the volumes that commands write to.
    """

    def __init__(self, free_bytes_min: int = 0) -> None:
        self._free_bytes_min = free_bytes_min
        self._finding = threading.Lock()
        self._places: tuple[Place, ...] | None = None
        self._names = ""
        self._guardian: Guardian | None = None

    @contextmanager
    def keep(
        self, command: Command, uid: int | None = None, meanwhile: Callable[[], None] = _nothing
    ) -> Iterator[Keeper]:
        """The keeper of a command whose processes will be of this user (ours, if None); no process outlives it.

        `meanwhile` is called once its process waits and before it begins.
        """
        group = Group(self._found(), command.limits, self._names)
        try:
            limit, floor = command.limits.disk_bytes, self._free_bytes_min
            disk = DiskWatch(command.writable, limit, floor, processes=group.processes)
            yield Keeper(command, group, disk, os.geteuid() if uid is None else uid, meanwhile)
        finally:
            group.close()

    def _found(self) -> tuple[Place, ...]:
        with self._finding:
            if self._places is None:
                found = places()
                clear(found)
                self._names = start_of_names()
                if found:
                    self._guardian = Guardian([place.directory for place in found], self._names)
                self._places = found
            return self._places
