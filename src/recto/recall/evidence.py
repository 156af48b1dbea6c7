"""Evidence: one thing that an answer depends on, and whether it is as it was."""

from __future__ import annotations

import os
import stat

from recto.interpreters.states import machine, state_of
from recto.recall.question import digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# A kind, what it is about, and what was seen there.
Evidence = tuple[str, str, str]

# Larger than anything that is read as a declaration.
_BYTES_MAX = 32 * 1024 * 1024

# What is seen where there is no file; no digest is empty.
ABSENT = ""


def own_file(name: str, data: bytes | None) -> Evidence:
    """A file of the project had these bytes, or was not there."""
    return ("own", name, ABSENT if data is None else digest_of(data))


def file(path: str, data: bytes | None) -> Evidence:
    """Any other file had these bytes, or was not there."""
    return ("file", path, ABSENT if data is None else digest_of(data))


def state(path: str, changed_ns: int, inode: int, size: int) -> Evidence:
    """A path was in this state."""
    return ("state", path, f"{changed_ns} {inode} {size}")


def this_machine() -> Evidence:
    """The machine was this one."""
    return ("machine", "", "\n".join(machine()))


def holds(evidence: Iterable[Evidence], root: str) -> bool:
    """Whether everything is as it was, for the project at `root`."""
    try:
        return all(_seen(kind, about, root) == seen for kind, about, seen in evidence)
    except (OSError, ValueError):
        # What cannot be read now is for the ordinary way to complain of.
        return False


def _seen(kind: str, about: str, root: str) -> str:
    match kind:
        case "own":
            return own_file(about, _read_own(root, about))[2]
        case "file":
            return file(about, read(about))[2]
        case "state":
            return state(*state_of(about))[2]
        case "machine":
            return this_machine()[2]
    raise ValueError(f"no such kind of evidence: {kind!r}")


def _read_own(root: str, name: str) -> bytes | None:
    """The bytes of a file that lies where its name says; ValueError where a link is on the way to it.

    The ordinary way follows links inside the project. They are rare, so here it is enough not to follow any.
    """
    path = f"{root}/{name}"
    if os.path.realpath(path) != path:
        raise ValueError(f"another path than it seems: {path}")
    return read(path)


def read(path: str) -> bytes | None:
    """The bytes of a regular file; None where there is none. ValueError for one that nobody would read as text."""
    try:
        # Not blocking: a FIFO must not hold a run up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > _BYTES_MAX:
            raise ValueError(f"too big: {path}")
        pieces = []
        while piece := os.read(descriptor, status.st_size + 1):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)
