"""What becomes of files that were put aside: they are compressed, and the oldest deleted."""

from __future__ import annotations

import gzip
import os
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from recto.index.audit.files import PART, TIDYING, Aside, put_aside
from recto.index.audit.holds import EXCLUSIVE, held

_PIECE_BYTES = 1 << 20

# Another process compresses meanwhile, a file in a second or two, and takes what it finds. Later is early enough.
_WAIT_SECONDS = 600.0


def tidy(directory: Path, days: float, bytes_max: int, now: datetime) -> None:
    """Compresses what was put aside, then deletes what is older than `days` or too much for `bytes_max`.

    A process that is killed on the way leaves every line in one whole file at least, and readers take each once.
    OSError where the directory does not allow it; what is there stays readable.
    """
    with held(directory / TIDYING, EXCLUSIVE, _WAIT_SECONDS):
        for part in directory.glob(f"*{PART}"):
            part.unlink()
        for file in put_aside(directory):
            # A full disk takes no compressed copy; then deleting is what helps.
            with suppress(OSError):
                _compress(file)
        for file in _outdated(put_aside(directory), days, bytes_max, now):
            file.delete()


def _compress(file: Aside) -> None:
    if not file.plain.exists():
        return
    if not file.zipped.exists():
        part = file.zipped.with_name(file.zipped.name + PART)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            with file.plain.open("rb") as source, gzip.GzipFile("", "wb", 6, target, mtime=0) as zipped:
                shutil.copyfileobj(source, zipped, _PIECE_BYTES)
            target.flush()
            # The only other copy is about to be deleted.
            os.fsync(target.fileno())
        part.rename(file.zipped)
        _sync(file.zipped.parent)
    file.plain.unlink()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _outdated(files: list[Aside], days: float, bytes_max: int, now: datetime) -> list[Aside]:
    """All that are too old, and from the first one on that is too much; the newest are kept."""
    kept = 0
    for index, file in enumerate(reversed(files)):
        kept += file.bytes()
        if kept > bytes_max or now - file.at > timedelta(days=days):
            return files[: len(files) - index]
    return []
