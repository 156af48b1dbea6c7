"""Shows the index as it was on a day, so that the same question has the same answer later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from recto.index.base import File, Finding, Project


class AsOf(Struct, frozen=True):
    """Nothing that was uploaded at `end` (aware) or later; also nothing of which the index does not say when."""

    end: datetime
    day: str
    name: str = "as-of"

    @classmethod
    def of(cls, day: date) -> AsOf:
        """The rule whose last day this is, in UTC, as `as-of` of a declaration has it."""
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return cls(begin + timedelta(days=1), day.isoformat())

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if file.uploaded is None:
            return Finding(self.name, "the index does not say when it was uploaded")
        return None if file.uploaded < self.end else Finding(self.name, f"uploaded after {self.day}")
