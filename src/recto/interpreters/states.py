"""States of files and of the machine: what shows, at the price of a stat, that something is another one now."""

from __future__ import annotations

import os
import stat

State = tuple[str, int, int, int]


def state_of(path: str) -> State:
    """The path with its time of change, inode and size; zeros where nothing can be seen there.

    A directory's size is left out: it is no more than the file system's own affair.
    """
    try:
        # `os.stat` and not `Path.stat`: this is the whole cost of every use of a ready environment.
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return (path, 0, 0, 0)
    return (path, status.st_mtime_ns, status.st_ino, 0 if stat.S_ISDIR(status.st_mode) else status.st_size)


def machine() -> tuple[str, ...]:
    """System, host, kernel and processor. The kernel's release is a marker of PEP 508, so answers depend on it."""
    return tuple(os.uname())
