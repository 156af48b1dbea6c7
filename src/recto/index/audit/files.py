"""The files of the log: the current one, and those that were put aside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

CURRENT = "audit.jsonl"
LOCK = "lock"
TIDYING = "tidying"
ZIPPED = ".gz"
# Of a compressed file that is just being written.
PART = ".part"

_ASIDE = re.compile(r"(audit-([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z)-([0-9]{6,})\.jsonl)(\.gz)?")
_STAMP = "%Y-%m-%dT%H-%M-%SZ"


class Aside(Struct, frozen=True):
    """A file that was put aside. `number` orders them, for a clock may be set back; `at` is when it was, in UTC."""

    number: int
    at: datetime
    plain: Path

    @classmethod
    def next(cls, directory: Path, now: datetime) -> Aside:
        """What the current file is to be called. For who holds the lock."""
        number = max((file.number for file in put_aside(directory)), default=0) + 1
        at = now.astimezone(UTC).replace(microsecond=0)
        return cls(number, at, directory / f"audit-{at.strftime(_STAMP)}-{number:06}.jsonl")

    @property
    def zipped(self) -> Path:
        """Where it lies compressed, whole if there; then `plain` is superfluous."""
        return self.plain.with_name(self.plain.name + ZIPPED)

    def bytes(self) -> int:
        """What it takes, 0 where it is gone."""
        return sum(path.stat().st_size for path in (self.plain, self.zipped) if path.exists())

    def delete(self) -> None:
        """Deletes it in both forms."""
        self.plain.unlink(missing_ok=True)
        self.zipped.unlink(missing_ok=True)


def put_aside(directory: Path) -> list[Aside]:
    """The files that were put aside, oldest first, each once; what is not named as they are is not ours."""
    found = (_aside(path) for path in directory.iterdir())
    files = {file.plain: file for file in found if file is not None}
    return sorted(files.values(), key=lambda file: (file.number, file.at))


def _aside(path: Path) -> Aside | None:
    match = _ASIDE.fullmatch(path.name)
    if match is None:
        return None
    try:
        at = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Aside(int(match[3]), at, path.with_name(match[1]))
