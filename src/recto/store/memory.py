"""What a directory of records holds, for whoever asks how well the store remembers.

Elsewhere a record that cannot be read is a miss and nobody is told. Here it is named, since whoever looks after the
store may want to know what damages its files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from recto.store.records import Miss, Record, read_record, records_in

Found = TypeVar("Found")


class Memory(Struct, frozen=True):
    """How many records count, since when the oldest does (seconds since 1970), and why others cannot be read."""

    count: int
    oldest: float | None
    illegible: tuple[str, ...]


class Looked(Struct, Generic[Found], frozen=True):
    """What the records of a directory are, and why some of them are nothing."""

    found: tuple[Found, ...]
    illegible: tuple[str, ...]


def look_through(directory: Path, read: Callable[[Record], Found | Miss]) -> Looked[Found]:
    """Each record of the directory as `read` understands it; one that is gone by then is left out."""
    found: list[Found] = []
    illegible: list[str] = []
    for path in sorted(records_in(directory)):
        try:
            record = read_record(path)
        except OSError as error:
            illegible.append(f"{path.name}: {(error.strerror or str(error)).lower()}")
            continue
        understood = record if isinstance(record, Miss) else read(record)
        if not isinstance(understood, Miss):
            found.append(understood)
        elif path.exists():
            illegible.append(understood.reason)
    return Looked(tuple(found), tuple(illegible))
