"""How many processes of our control group the kernel has killed because memory ran out.

Version 2 counts them in `memory.events`, for the group and those below it; version 1 in `memory.oom_control`, for the
group itself (Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst). A kill of the whole machine's
memory counts as well as one of a limit. Where the kernel does not tell, nothing is known.
"""

from __future__ import annotations

from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def memory_kills() -> int | None:
    """The count so far, None where it cannot be read."""
    try:
        groups = _OWN.read_text().splitlines()
        counts = [count for group in groups if (count := _count(group)) is not None]
    except OSError:
        return None
    return sum(counts) if counts else None


def _count(group: str) -> int | None:
    """The count of one line of /proc/self/cgroup: `HIERARCHY:CONTROLLERS:PATH`."""
    _, controllers, path = group.split(":", 2)
    if controllers == "":
        return _field(_ROOT / path.lstrip("/") / "memory.events")
    if "memory" in controllers.split(","):
        return _field(_ROOT / "memory" / path.lstrip("/") / "memory.oom_control")
    return None


def _field(file: Path) -> int | None:
    try:
        text = file.read_text()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        # Another mount, or a group that is not ours to see.
        return None
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdecimal():
            return int(value)
    return None
