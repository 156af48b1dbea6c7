"""Files of the project, read through the caller's eyes, with the caps checked."""

from __future__ import annotations

from collections.abc import Callable

from recto.declaration.text import Unreadable, decode
from recto.problems import Problem, Source, problem

# The bytes of a file of the project by its relative POSIX path, or None when there is none. It may stop after
# `caps.READ_BYTES` bytes.
Reader = Callable[[str], bytes | None]


def too_large(file: str, data: bytes, most: int) -> Problem | None:
    """The problem of a file with more than `most` bytes."""
    if len(data) <= most:
        return None
    return problem(
        "declaration-too-large",
        source=Source(file),
        file=file,
        size=f"more than {most:,} bytes",
        most=f"{most:,} bytes",
    )


def text_of(file: str, data: bytes, most: int) -> str | Problem:
    """The file's text, or why it is not to be read."""
    oversize = too_large(file, data, most)
    if oversize:
        return oversize
    try:
        return decode(data)
    except Unreadable as reason:
        return problem("declaration-encoding", source=Source(file), file=file, reason=str(reason))
