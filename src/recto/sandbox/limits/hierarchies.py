"""Where this process may make control groups.

The places are read from /proc, not assumed: a container or an operator may mount them anywhere (proc(5), cgroups(7);
Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/cgroups.rst).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from msgspec import Struct

CONTROLLERS = frozenset({"memory", "pids", "cpu"})

_SELF = Path("/proc/self")
_ESCAPED = re.compile(r"\\([0-7]{3})")


class Place(Struct, frozen=True):
    """A group below which groups can be made, and what can be limited in these."""

    version: Literal[1, 2]
    directory: Path
    controllers: frozenset[str]


class _Mount(Struct, frozen=True):
    """One mounted hierarchy: `root` is the group that is seen at `point`."""

    version: Literal[1, 2]
    root: str
    point: Path
    options: frozenset[str]


def places(process: Path = _SELF, controllers: frozenset[str] = CONTROLLERS) -> tuple[Place, ...]:
    """Every place where this process can make a group; none where nothing is mounted or all of it is read-only.

    `controllers` are those that are of interest.
    """
    try:
        own = dict(_own(process, controllers))
        mounts = list(_mounts(process))
    except OSError:
        return ()
    found = []
    for mount in mounts:
        name = next((name for name in own if name in mount.options), None) if mount.version == 1 else ""
        directory = _seen(mount, own[name]) if name is not None and name in own else None
        if directory is not None:
            wanted = controllers & mount.options if mount.version == 1 else controllers
            found.append(_split(directory, wanted) if mount.version == 1 else _unified(directory, mount.point, wanted))
    return tuple(place for place in found if place is not None)


def _own(process: Path, wanted: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Each controller that is wanted and the path of our group in its hierarchy; the unified one has no name."""
    for line in (process / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in wanted or controller == "":
                yield controller, path


def _mounts(process: Path) -> Iterator[_Mount]:
    for line in (process / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            root, point = (_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), word) for word in before.split(" ")[3:5])
            yield _Mount(1 if kind == "cgroup" else 2, root, Path(point), frozenset(options.split(",")))


def _seen(mount: _Mount, path: str) -> Path | None:
    """Where a group is seen below a mount, None where it lies outside of what is mounted."""
    relative = os.path.relpath(path, mount.root)
    return None if relative.startswith("..") else mount.point / relative


def _split(directory: Path, controllers: frozenset[str]) -> Place | None:
    """A place of version 1, where each controller has a hierarchy and groups may have both processes and children."""
    return Place(1, directory, controllers) if _may_make(directory) else None


def _unified(own: Path, mount: Path, controllers: frozenset[str]) -> Place | None:
    """The place of version 2.

    A group with processes cannot pass controllers on, unless it is the root. So groups are made beside our own, below
    a parent that was delegated to us and holds no processes (systemd: `Delegate=yes`, `DelegateSubgroup=main`).
    Without controllers a group of version 2 is still worth having: it can be killed at once.
    """
    beside = [own.parent] if own != mount and _delegated(own.parent) and not words(own.parent / "cgroup.procs") else []
    for directory in (own, *beside):
        _pass_on(directory, controllers)
        passed = words(directory / "cgroup.subtree_control") & controllers
        if passed and _may_make(directory):
            return Place(2, directory, passed)
    return Place(2, own, frozenset()) if _may_make(own) else None


def _delegated(directory: Path) -> bool:
    """Whether the subtree was given to us: systemd says so in an attribute; else it is ours, and what is above not."""
    for name in ("user.delegate", "trusted.delegate"):
        with suppress(OSError):
            if os.getxattr(directory, name) == b"1":
                return True
    user = os.geteuid()
    return user != 0 and directory.stat().st_uid == user != directory.parent.stat().st_uid


def _pass_on(directory: Path, controllers: frozenset[str]) -> None:
    """Lets groups below have what there is to limit; what the kernel refuses stays as it is."""
    for controller in sorted(words(directory / "cgroup.controllers") & controllers):
        if controller not in words(directory / "cgroup.subtree_control"):
            with suppress(OSError):
                (directory / "cgroup.subtree_control").write_text(f"+{controller}")


def _may_make(directory: Path) -> bool:
    """Tried, since neither modes nor mount options tell all."""
    probe = directory / f"recto-{os.getpid()}-{os.urandom(8).hex()}"
    try:
        probe.mkdir()
        # Another process that clears up may have been quicker.
        with suppress(FileNotFoundError):
            probe.rmdir()
    except OSError:
        return False
    return True


def words(file: Path) -> frozenset[str]:
    """The words of a control file; none where it is not there or not ours to read."""
    try:
        return frozenset(file.read_text().split())
    except OSError:
        return frozenset()
