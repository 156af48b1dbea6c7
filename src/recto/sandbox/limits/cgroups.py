"""A control group for one command: what all its processes use together, counted and ended by the kernel."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from recto.sandbox.base import Limits, Tier
from recto.sandbox.limits.hierarchies import Place
from recto.sandbox.refusal import refusal

# As long as killing is repeated elsewhere in the room; a process in an uninterruptible wait may outlive it.
_KILL_SECONDS_MAX = 10.0
# No more than what is made here: an operator's groups may be named after us too.
_OURS = re.compile(r"recto-\d+-[0-9a-f]{16}")
# The kernel lets go of a group some time after its last process has ended.
_REMOVE_SECONDS_MAX = 2.0
_PAUSE_SECONDS = 0.005
# A tenth of a second, the kernel's own choice.
_PERIOD_MICROSECONDS = 100_000
# The files of version 1 and 2 that count.
_KILLS = ("memory.oom_control", "memory.events")
_REFUSALS = ("pids.events", "pids.events")
_PAUSES = ("cpu.stat", "cpu.stat")
_LIMITS: Mapping[str, str] = {"memory": "memory_bytes", "pids": "processes", "cpu": "cpus"}
_NAMES: Mapping[str, str] = {"memory": "memory", "pids": "processes", "cpu": "cpus"}


class Group:
    """One group in each hierarchy that can be written, with the limits that these can keep; empty until joined.

    Its name begins with `start`, which `start_of_names` gave. It is held by a lock on its directories, which ends with
    this process, so that a later one can tell that it was left behind. `close` kills what is in it and removes it.
    Raises SandboxError where a limit cannot be set.
    """

    def __init__(self, places: Sequence[Place], limits: Limits, start: str) -> None:
        self._held = ExitStack()
        name = f"{start}{os.urandom(4).hex()}"
        self._places = tuple(
            Place(place.version, place.directory / name, place.controllers)
            for place in places
            if place.version == 2 or any(_value(limits, controller) is not None for controller in place.controllers)
        )
        self.tiers: dict[str, Tier] = {}
        with ExitStack() as undo:
            undo.callback(self.close)
            for place in self._places:
                self._make(place, limits)
            undo.pop_all()

    def join(self, process: int) -> None:
        """Puts a process, and with it all that it will start, into the group; raises SandboxError."""
        for place in self._places:
            _put(place.directory / "cgroup.procs", str(process))

    def processes(self) -> frozenset[int]:
        """The ids of the processes in the group that are alive now."""
        return frozenset().union(*(_processes(place.directory) for place in self._places))

    @property
    def exact(self) -> bool:
        """Whether `kill` finds every process: nobody leaves a group who cannot write to another one."""
        return bool(self._places)

    @property
    def memory_kills(self) -> int | None:
        """How many of its processes the kernel killed for their memory; None where the group does not limit it."""
        return self._count("memory", _KILLS, "oom_kill")

    @property
    def refused_processes(self) -> int | None:
        """How often a process or thread was refused at the limit; None where the group does not limit them."""
        return self._count("pids", _REFUSALS, "max")

    @property
    def throttled(self) -> int | None:
        """In how many tenths of a second it had to wait for processors; None where the group does not limit these."""
        return self._count("cpu", _PAUSES, "nr_throttled")

    def kill(self) -> None:
        """Ends every process in the group; when this returns none is left, unless one waits uninterruptibly."""
        kill([place.directory for place in self._places])

    def close(self) -> None:
        """Kills what is left and removes the group; what does not go is cleared away by the next `clear`."""
        self.kill()
        self._held.close()
        for place in self._places:
            _remove(place.directory)

    def _make(self, place: Place, limits: Limits) -> None:
        try:
            self._held.callback(os.close, _made(place.directory))
        except OSError as error:
            raise refusal(f"the control group `{place.directory}` cannot be made: {error.strerror}") from error
        for controller in sorted(place.controllers):
            value = _value(limits, controller)
            if value is not None:
                limit(place, controller, value)
                self.tiers[_NAMES[controller]] = "cgroup-v1" if place.version == 1 else "cgroup-v2"

    def _count(self, controller: str, files: tuple[str, str], field: str) -> int | None:
        for place in self._places:
            if controller in place.controllers and _NAMES[controller] in self.tiers:
                return _field(place.directory / files[place.version - 1], field)
        return None


def start_of_names() -> str:
    """What the names of some groups of this process begin with, and those of no others."""
    return f"recto-{os.getpid()}-{os.urandom(4).hex()}"


def clear(places: Sequence[Place]) -> None:
    """Kills and removes the groups whose makers are gone."""
    for place in places:
        with suppress(OSError):
            for directory in place.directory.iterdir():
                if _OURS.fullmatch(directory.name):
                    _clear(directory)


def kill(directories: Sequence[Path]) -> None:
    """Ends every process in these groups."""
    for directory in directories:
        # At once, where the kernel can (Linux 5.14, version 2); else nothing new may start while they are ended.
        for name, value in (("cgroup.kill", "1"), ("pids.max", "0")):
            with suppress(OSError):
                _write(directory / name, value)
    give_up = time.monotonic() + _KILL_SECONDS_MAX
    while time.monotonic() < give_up:
        left = frozenset[int]().union(*map(_processes, directories))
        if not left:
            return
        for process in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)


def _made(directory: Path) -> int:
    """The descriptor that holds the lock of a new group."""
    while True:
        directory.mkdir()
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Somebody who clears up may have been between us and the lock, and have taken it for one left behind.
        if directory.exists():
            return descriptor
        os.close(descriptor)


def _clear(directory: Path) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Its maker lives.
        return
    else:
        kill([directory])
        _remove(directory)
    finally:
        os.close(descriptor)


def _value(limits: Limits, controller: str) -> float | None:
    value: float | None = getattr(limits, _LIMITS[controller])
    return value


def limit(place: Place, controller: str, value: float) -> None:
    """Sets one limit. Swap counts as memory; a process over it is killed alone, so that others can tell of it."""
    at = place.directory
    if controller == "pids":
        _put(at / "pids.max", str(int(value)))
    elif controller == "cpu":
        quota = str(int(value * _PERIOD_MICROSECONDS))
        if place.version == 2:
            _put(at / "cpu.max", f"{quota} {_PERIOD_MICROSECONDS}")
        else:
            _put(at / "cpu.cfs_period_us", str(_PERIOD_MICROSECONDS))
            _put(at / "cpu.cfs_quota_us", quota)
    elif place.version == 2:
        _put(at / "memory.max", str(int(value)))
        _put_where_known(at / "memory.swap.max", "0")
        _put_where_known(at / "memory.oom.group", "0")
    else:
        # In this order: the sum of both may not be below the first.
        _put(at / "memory.limit_in_bytes", str(int(value)))
        _put_where_known(at / "memory.memsw.limit_in_bytes", str(int(value)))


def _put_where_known(file: Path, value: str) -> None:
    """Kernels without an account of swap lack its files."""
    if file.exists():
        _put(file, value)


def _put(file: Path, value: str) -> None:
    try:
        _write(file, value)
    except OSError as error:
        raise refusal(f"the control group's `{file}` does not take `{value}`: {error.strerror}") from error


def _write(file: Path, value: str) -> None:
    """One write(2), since the kernel takes each as a whole; never makes the file."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def _processes(directory: Path) -> frozenset[int]:
    try:
        found = {int(word) for word in (directory / "cgroup.procs").read_text().split()}
    except OSError:
        # It is gone, and with it all that was in it.
        return frozenset()
    # Those that our PID namespace does not show are listed as 0, which to kill(2) is our own process group.
    return frozenset(found - {0, os.getpid()})


def _field(file: Path, field: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field} ")), 0)


def _remove(directory: Path) -> None:
    give_up = time.monotonic() + _REMOVE_SECONDS_MAX
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() >= give_up:
                return
            time.sleep(_PAUSE_SECONDS)
        else:
            return
