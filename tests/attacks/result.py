"""What a case came to under a mechanism, kept for the run as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from case import Seen


class Result(msgspec.Struct, frozen=True):
    """What was seen of one case under one mechanism; `tiers` is by what limits were kept, which no table shows."""

    case: str
    mechanism: str
    seen: Seen
    tiers: Mapping[str, str] = {}

    def write(self, directory: Path) -> None:
        """Leaves it in `directory`, in a file of its own."""
        directory.mkdir(exist_ok=True)
        path = directory / f"{self.case}.{self.mechanism}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self)))


def results(directory: Path) -> tuple[Result, ...]:
    """All results that were left in `directory`."""
    return tuple(msgspec.json.decode(path.read_bytes(), type=Result) for path in sorted(directory.glob("*.json")))
