"""Holds: advisory locks on whatever a path names now. Mutexes, leases, reservations and staging areas are holds.

Guaranteed, for processes of one machine on a file system with `flock(2)`: a hold is granted by the kernel, belongs to
the open descriptor, is shared by children that inherit the descriptor, and ends when the last of them is closed,
however its process ended. So no hold is ever stale and nothing needs repair.

Not guaranteed: network file systems that keep `flock` to one client (old NFS, some FUSE); a process that forks without
exec carries every hold along in its child; whoever deletes or writes by hand is not asked for a hold.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX

# The mode of a published environment's directory.
SEALED = 0o555

# An exclusive hold on an environment lasts for one chmod and one rename, or for the look whether it is in use:
# microseconds, milliseconds on a busy machine. 20 tries of 2 ms outlast it; who holds longer is not passing by.
_TRIES = 20
_PAUSE_SECONDS = 0.002


def hold(path: Path | str, operation: int, flags: int = os.O_RDONLY) -> int | None:
    """A descriptor that holds what `path` names, None while another hold forbids it; never waits.

    FileNotFoundError where nothing has that name, where it changed hands before the hold was granted, or where it is a
    symbolic link. Children do not inherit the descriptor unless they are given it (PEP 446).
    """
    # Not to wait either where a named pipe lies: opening one waits for its other end.
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o644)
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        held, named = os.fstat(descriptor), os.lstat(path)
        if (held.st_dev, held.st_ino) != (named.st_dev, named.st_ino):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def hold_directory(path: Path | str, operation: int) -> int | None:
    """As `hold`, for a directory, and outlasting those who hold it for a moment: up to 40 ms."""
    for _ in range(_TRIES):
        descriptor = hold(path, operation, os.O_RDONLY | os.O_DIRECTORY)
        if descriptor is not None:
            return descriptor
        time.sleep(_PAUSE_SECONDS)
    return None


def settle(descriptor: int, now: float) -> None:
    """Marks the held environment as used `now`, and its top directory as read-only if a crash left it writable."""
    if os.fstat(descriptor).st_mode & 0o222:
        os.fchmod(descriptor, SEALED)
    os.utime(descriptor, (now, now))


def claim_file(directory: Path, prefix: str) -> tuple[Path, int]:
    """A new empty file in `directory`, held exclusively and open for writing."""
    for _ in range(_TRIES):
        path = directory / f"{prefix}-{os.urandom(8).hex()}"
        try:
            descriptor = hold(path, EXCLUSIVE, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileNotFoundError:
            # Cleared as abandoned between its making and its hold, or the directory is gone.
            directory.mkdir(parents=True, exist_ok=True)
            continue
        if descriptor is not None:
            return path, descriptor
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))


def claim_directory(directory: Path, prefix: str) -> tuple[Path, int]:
    """A new empty directory in `directory`, held exclusively."""
    for _ in range(_TRIES):
        path = directory / f"{prefix}-{os.urandom(8).hex()}"
        path.mkdir(parents=True)
        try:
            descriptor = hold(path, EXCLUSIVE, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        if descriptor is not None:
            return path, descriptor
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
