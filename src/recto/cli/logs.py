"""Logs on this machine: the ends of one that is to be diagnosed, and the text behind problems that refer to it."""

from __future__ import annotations

import os
import stat
import sys
from collections import deque
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from recto.cli.console import Console
from recto.problems import Problem

# The kinds whose hint names the log.
REFER_TO_LOG = frozenset({"install-failed", "render-failed", "cause-unknown"})

# What is read of a log at most: its start says what was asked for, its end what went wrong. Even numbers, as UTF-16
# has two bytes a character.
HEAD_BYTES = 1024 * 1024
TAIL_CHUNKS = 3
# After as much of a pipe, what was read last counts as its end; an endless one ends here.
PIPE_BYTES_MAX = 1024**3


def read_ends(name: str) -> tuple[bytes, bytes]:
    """The first MiB of the file (`-`: of standard input) and its last three to four.

    Where that is all of it, the first holds it and the second is empty. The end begins at an even number of bytes from
    the start. Memory does not grow with the file, and of a regular file no more is read. Raises OSError, and
    ValueError for a name that no file can have.
    """
    with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
        head = file.read(HEAD_BYTES)
        skipped = _skip(file)
        chunks: deque[bytes] = deque(maxlen=TAIL_CHUNKS + 1)
        left = PIPE_BYTES_MAX
        while left > 0 and (chunk := file.read(HEAD_BYTES)):
            skipped = skipped or len(chunks) == chunks.maxlen
            chunks.append(chunk)
            left -= len(chunk)
    tail = b"".join(chunks)
    return (head, tail) if skipped else (head + tail, b"")


def _skip(file: BinaryIO) -> bool:
    """Whether the middle of a regular file was passed over."""
    most = TAIL_CHUNKS * HEAD_BYTES
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size - file.tell() <= most:
        return False
    file.seek((status.st_size - most) & ~1)
    return True


def keep_log(problems: Iterable[Problem], text: str, console: Console) -> None:
    """Says where the text is now, without credentials; nothing where no problem refers to it."""
    if not text.strip() or REFER_TO_LOG.isdisjoint(problem.code for problem in problems):
        return
    # Late, as most commands have nothing to keep.
    import tempfile

    from recto.problems.diagnosis import clean
    from recto.problems.diagnosis.redact import redacted

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="recto-", suffix=".log", delete=False
    ) as log:
        log.write(redacted(clean(text)))
    console.say(f"The log is `{log.name}`.")
