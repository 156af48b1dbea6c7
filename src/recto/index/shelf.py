"""A directory of files by digest, of which those used longest ago go when it is full."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

# As often as the time of use is written to the disk.
_USED_SECONDS = 60.0


class Shelf:
    """Files of at most `bytes_max` together, each put whole or not at all. For any number of threads.

    `changes` grows with each file that comes or goes, or gets another note. A file may have a note, a short word that
    is part of its name. Several processes may share a directory: each knows what it put there and what it found at its
    start, and a file that another took away is one that is not kept. What is given out stays readable for whoever has
    opened it.
    """

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory = directory
        self._bytes_max = bytes_max
        # From the one used longest ago: digest to size, note and when its use was written down.
        self._kept: OrderedDict[str, tuple[int, str, float]] = OrderedDict()
        # Files are put by threads, several at a time, while the event loop gets others.
        self._counting = Lock()
        self.bytes = self.changes = 0
        for used, digest, size, note in sorted(self._found()):
            self._kept[digest] = (size, note, used)
            self.bytes += size

    def get(self, digest: str) -> Path | None:
        """Where the file is, used now; None where it is not kept."""
        kept = self._kept.get(digest)
        path = self._path(digest, kept[1] if kept else "")
        try:
            if kept is None or time.time() - kept[2] > _USED_SECONDS:
                os.utime(path)
                self._add(digest, path.stat().st_size, kept[1] if kept else "")
            else:
                self._kept.move_to_end(digest)
        # It may have been dropped meanwhile.
        except (OSError, KeyError):
            self._drop(digest)
            return None
        return path

    def note(self, digest: str) -> str | None:
        """The note of a file; None where it is not kept."""
        kept = self._kept.get(digest)
        return None if kept is None else kept[1]

    def put(self, digest: str, path: Path, note: str = "") -> None:
        """Takes a file on the same volume, whose bytes were verified, by rename; raises OSError."""
        place = self._path(digest, note)
        place.parent.mkdir(parents=True, exist_ok=True)
        size = path.stat().st_size
        path.replace(place)
        self._add(digest, size, note)
        self._shrink()

    def _shrink(self) -> None:
        while (oldest := self._surplus()) is not None:
            digest, note = oldest
            with suppress(OSError):
                self._path(digest, note).unlink()

    def _surplus(self) -> tuple[str, str] | None:
        """The digest and note of a file that has to go, kept no more; None where all fit."""
        with self._counting:
            if self.bytes <= self._bytes_max or not self._kept:
                return None
            digest, (size, note, _) = self._kept.popitem(last=False)
            self.bytes -= size
            self.changes += 1
            return digest, note

    def _add(self, digest: str, size: int, note: str) -> None:
        with self._counting:
            before = self._kept.pop(digest, None)
            self._kept[digest] = (size, note, time.time())
            self.bytes += size - (before[0] if before else 0)
            self.changes += before is None or before[1] != note

    def _drop(self, digest: str) -> None:
        with self._counting:
            if (before := self._kept.pop(digest, None)) is not None:
                self.bytes -= before[0]
                self.changes += 1

    def _path(self, digest: str, note: str) -> Path:
        return self._directory / digest[:2] / (f"{digest[2:]}.{note}" if note else digest[2:])

    def _found(self) -> list[tuple[float, str, int, str]]:
        found = []
        for path in self._directory.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"):
            with suppress(OSError):
                status = path.stat()
                rest, _, note = path.name.partition(".")
                found.append((status.st_mtime, path.parent.name + rest, status.st_size, note))
        return found
