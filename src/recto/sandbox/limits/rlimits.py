"""The limits that the kernel keeps for each process by itself (getrlimit(2)), set from outside before it begins.

Memory is RLIMIT_DATA, never RLIMIT_AS: programs reserve address space far beyond what they use (V8, so Quarto's deno,
48 GiB).
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from recto.sandbox.base import Limits, Tier
from recto.sandbox.refusal import refusal

# After the signal that says that time is up, a program may tidy up for so many seconds of processor time.
_CPU_GRACE_SECONDS = 2
_THREADS_FIELD = 17


def restrict(process: int, limits: Limits, kept: Mapping[str, Tier], uid: int) -> dict[str, Tier]:
    """Limits a process that has not begun yet; what is `kept` together by other means is left to these.

    Returns by what memory and processes are kept now. `uid` is whose the command's processes will be: they are counted
    over all that this user runs, and not at all for root. Raises SandboxError where a limit cannot be set.
    """
    wanted = {resource.RLIMIT_CORE: 0}
    tiers: dict[str, Tier] = {}
    if limits.memory_bytes is not None and "memory" not in kept:
        wanted[resource.RLIMIT_DATA] = limits.memory_bytes
        tiers["memory"] = "process"
    if limits.processes is not None and "processes" not in kept:
        wanted[resource.RLIMIT_NPROC] = tasks(uid, besides=process) + limits.processes
        tiers["processes"] = "none" if uid == 0 else "process"
    if limits.cpus is not None and "cpus" not in kept:
        tiers["cpus"] = "none"
    if limits.open_files is not None:
        wanted[resource.RLIMIT_NOFILE] = limits.open_files
    if (file_bytes := limits.disk_bytes if limits.file_bytes is None else limits.file_bytes) is not None:
        wanted[resource.RLIMIT_FSIZE] = file_bytes
    for name, value in wanted.items():
        _set(process, name, value, value)
    if limits.cpu_seconds is not None:
        _set(process, resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + _CPU_GRACE_SECONDS)
    return tiers


def tasks(uid: int, besides: int) -> int:
    """How many processes and threads of a user there are now beside one process."""
    found = 0
    for directory in Path("/proc").iterdir():
        # One may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            if directory.name.isdecimal() and directory.name != str(besides) and directory.stat().st_uid == uid:
                found += int((directory / "stat").read_bytes().rpartition(b") ")[2].split()[_THREADS_FIELD])
    return found


def _set(process: int, name: int, soft: int, hard: int) -> None:
    """The stricter of what is asked for and what is in force: only root may raise a limit."""
    try:
        most = resource.prlimit(process, name)[1]
        if most != resource.RLIM_INFINITY and os.geteuid() != 0:
            soft, hard = min(soft, most), min(hard, most)
        resource.prlimit(process, name, (soft, hard))
    except (OSError, ValueError) as error:
        raise refusal(f"the limit {name} of process {process} cannot be set to {soft}: {error}") from error
