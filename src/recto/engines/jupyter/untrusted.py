"""Reading files that a document or its cells may have put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_untrusted(path: Path, bytes_max: int) -> bytes:
    """The bytes of a regular file; OSError where it is a link, a device or a pipe, is missing, or has too many bytes.

    Only the last part of `path` is guarded: the caller vouches for its directory.
    """
    # Without O_NONBLOCK opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path.name} is not a regular file")
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise OSError(f"{path.name} has more than {bytes_max} bytes")
    return data


def inside(path: Path, directory: Path) -> Path | None:
    """The path with all links followed if that is inside of the directory, else None."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        # Missing, a loop of links, or a name that no file can have.
        return None
    return real if real.is_relative_to(directory.resolve()) else None
