"""Records: small JSON objects, written whole or not at all.

Whole for every process that reads, also after the writer was killed: that takes a rename and no more. After a power
failure a record that was not `durable` may be the one before it, or illegible, which is a miss. Durable is what cannot
be derived again; it costs two waits for the disk, which on a disk that is busy writing wheels may be long ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from recto.store.holds import claim_file

# More than any record of a spec has.
_PIECE_BYTES = 65_536


class Record(Struct, frozen=True):
    """A JSON object and when it was written, in seconds since 1970 by the store's clock."""

    value: dict[str, Any]
    written_at: float


class Miss(Struct, frozen=True):
    """Nothing usable, and why: not there, illegible, or being evicted. Never an error."""

    reason: str


def read_record(path: Path) -> Record | Miss:
    """The record at `path`; what is not one is a Miss, other trouble with the disk an OSError."""
    return _record(read_object(path), path.name)


def parse_record(data: bytes, name: str) -> Record | Miss:
    """The record that a file called `name` holds."""
    return _record(_object(data, name), name)


def _record(value: dict[str, Any] | Miss, name: str) -> Record | Miss:
    match value:
        case Miss():
            return value
        case {"written_at": int() | float() as written_at, "value": dict() as inner}:
            # JSON has whole numbers that no float holds.
            with suppress(OverflowError):
                return Record(inner, float(written_at))
    return Miss(f"{name} is not a record")


def write_record(
    path: Path, value: Mapping[str, object], written_at: float, staging: Path, durable: bool = False
) -> None:
    """Puts the record at `path`, replacing what was there."""
    replace_object(path, {"written_at": written_at, "value": value}, staging, durable)


def replace_object(path: Path, value: Mapping[str, object], staging: Path, durable: bool = False) -> None:
    """Puts the JSON object at `path`, replacing what was there; `durable`: on the disk when this returns."""
    temporary, descriptor = claim_file(staging, "record")
    try:
        write_object(descriptor, value)
        if durable:
            os.fsync(descriptor)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(path)
        if durable:
            synchronise(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def read_object(path: Path) -> dict[str, Any] | Miss:
    """The JSON object in a file."""
    try:
        return _object(_bytes(path), path.name)
    except FileNotFoundError:
        return Miss(f"{path.name} is not there")
    except IsADirectoryError:
        return Miss(f"{path.name} is a directory")


def _bytes(path: Path) -> bytes:
    """The bytes of a file, in four system calls; `Path.read_bytes` makes nine, and every hit reads a record."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(descriptor, _PIECE_BYTES):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _object(data: bytes, name: str) -> dict[str, Any] | Miss:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        return Miss(f"{name} is not legible: {error}")
    return value if isinstance(value, dict) else Miss(f"{name} is not an object")


def write_object(descriptor: int, value: Mapping[str, object]) -> None:
    """Writes the JSON object to an open file."""
    with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as file:
        json.dump(value, file, sort_keys=True)
        file.write("\n")


def synchronise(directory: Path) -> None:
    """Brings the names in a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def records_in(directory: Path) -> list[Path]:
    """Everything in a directory of records; nothing where there is no such directory."""
    try:
        with os.scandir(directory) as found:
            return [Path(one.path) for one in found]
    except (FileNotFoundError, NotADirectoryError):
        return []


def halve_records(directory: Path, most: int) -> None:
    """Where more than `most` lie in a directory, deletes the older ones until half of that is left."""
    found: list[tuple[int, Path]] = []
    for path in records_in(directory):
        with suppress(FileNotFoundError):
            found.append((path.lstat().st_mtime_ns, path))
    if len(found) <= most:
        return
    for _, path in sorted(found)[: len(found) - most // 2]:
        with suppress(OSError):
            path.unlink()


def sweep_records(directory: Path, counts: Callable[[Record | Miss], bool]) -> None:
    """Deletes the records that do not count any more."""
    for path in records_in(directory):
        # Gone by now, or nothing that we made: neither is in anybody's way.
        with suppress(OSError):
            if not counts(read_record(path)):
                path.unlink()
