"""Unfinished environments: published, in use, and still to be given something, such as bytecode.

A mark is a record that says what is lacking. It is made before the environment is published and goes when it is
finished, so that a process killed in between leaves a mark and never an unfinished environment without one. Where
finishing failed the mark is put aside: nobody tries again by themselves, and the reason can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from recto.keys import EnvironmentKey
from recto.store.entries import key_of
from recto.store.layout import Layout
from recto.store.records import Miss, Record, read_record, write_record

_FAILED = ".failed"


class Unfinished(Struct, frozen=True):
    """The marks of one store."""

    layout: Layout

    def mark(self, key: EnvironmentKey, lacking: Mapping[str, object], now: float) -> None:
        """Marks the environment, published or about to be."""
        write_record(self._path(key), lacking, now, self.layout.staging)

    def has(self, key: EnvironmentKey) -> bool:
        """Whether the environment is marked; one system call."""
        return self._path(key).exists()

    def lacking(self, key: EnvironmentKey) -> Record | Miss:
        """What the environment lacks."""
        return read_record(self._path(key))

    def keys(self) -> list[EnvironmentKey]:
        """The marked environments, the one marked first in front."""
        return [key for path in self._paths() if (key := key_of(path.name)) is not None]

    def clear(self, key: EnvironmentKey) -> None:
        """Takes the mark away, and what was put aside."""
        self._path(key).unlink(missing_ok=True)
        self._aside(key).unlink(missing_ok=True)

    def fail(self, key: EnvironmentKey, reason: str, now: float) -> None:
        """Puts the mark aside."""
        write_record(self._aside(key), {"reason": reason}, now, self.layout.staging)
        self._path(key).unlink(missing_ok=True)

    def failures(self) -> dict[str, str]:
        """Why finishing failed, by the key of the environment."""
        found = {path.stem: read_record(path) for path in self._paths() if path.suffix == _FAILED}
        return {key: str(record.value.get("reason")) for key, record in found.items() if isinstance(record, Record)}

    def _paths(self) -> list[Path]:
        found: list[tuple[float, Path]] = []
        try:
            for path in self.layout.unfinished.iterdir():
                # Finished between the listing and the look at it.
                with suppress(FileNotFoundError):
                    found.append((path.lstat().st_mtime, path))
        except FileNotFoundError:
            return []
        return [path for _, path in sorted(found)]

    def _path(self, key: EnvironmentKey) -> Path:
        return self.layout.unfinished / str(key)

    def _aside(self, key: EnvironmentKey) -> Path:
        return self.layout.unfinished / f"{key}{_FAILED}"
