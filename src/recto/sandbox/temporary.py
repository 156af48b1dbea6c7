"""Directories in the machine's temporary directory, each held by a lock of the process that it is for.

The lock (flock(2) on the directory itself) ends with its holder in whatever way that ends, in every PID namespace. So
what nobody holds was left by a process that was killed, however young it is, and what somebody holds is in use, however
old. Nothing of ours goes by the age of a directory or by the number of a process.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recto.sandbox.removing import discarded, emptied

# Nobody names a directory of their own like this. The rest is what `mkdtemp` adds.
_PREFIX = "recto-held-"
_OURS = re.compile(rf"{_PREFIX}[a-z0-9_]{{8}}")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def temporary(parent: Path | None = None) -> Iterator[Path]:
    """An empty directory of our own, removed at the end without following a link, however deep it is by then.

    It lies in `parent`, by default in the machine's temporary directory. What cannot be removed stays behind, and so
    does all of it when this process is killed; `sweep` finds it. Not guaranteed: a child that was forked without exec
    holds it too. Raises OSError where it cannot be made.
    """
    directory, descriptor = _held(parent)
    try:
        yield directory
    finally:
        discarded(directory)
        os.close(descriptor)


def sweep(owners: Collection[int], parent: Path | None = None) -> int:
    """How many directories that dead processes left behind are gone now.

    `owners` are the numbers of the users whose directories may go: ourselves, and for root whoever it made its
    commands. `parent` is as for `temporary`. What cannot be removed is left.
    """
    gone = 0
    where = Path(tempfile.gettempdir()) if parent is None else parent
    with suppress(OSError):
        gone = sum(_swept(path, owners) for path in sorted(where.iterdir()) if _OURS.fullmatch(path.name))
    return gone


def _held(parent: Path | None) -> tuple[Path, int]:
    while True:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            descriptor = os.open(directory, _DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Else whoever swept held it between our two calls, and we take another one.
            if os.path.samestat(directory.stat(), os.fstat(descriptor)):
                return directory, descriptor
        except FileNotFoundError:
            os.close(descriptor)
        except BaseException:
            os.close(descriptor)
            raise


def _swept(path: Path, owners: Collection[int]) -> bool:
    try:
        descriptor = os.open(path, _DIRECTORY)
    except OSError:
        return False
    try:
        if os.fstat(descriptor).st_uid not in owners:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # By the descriptor: the name may lead elsewhere by now, and only an empty directory goes by it.
        emptied(descriptor)
        path.rmdir()
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
