"""Hides what was uploaded a short time ago: most malicious releases are found and taken away within days."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from recto.index.base import File, Finding, Project


class Age(Struct, frozen=True):
    """Nothing younger than `span`; also nothing of which the index does not say when it was uploaded.

    `exempt` are normalised names of projects that may be new, such as the operator's own.
    """

    span: timedelta
    exempt: frozenset[str] = frozenset()
    name: str = "age"

    @classmethod
    def of_days(cls, days: float, exempt: frozenset[str] = frozenset()) -> Age:
        """The rule for so many days."""
        return cls(timedelta(days=days), exempt)

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if project.name in self.exempt:
            return None
        if file.uploaded is None:
            return Finding(self.name, "the index does not say when it was uploaded")
        if now - file.uploaded < self.span:
            days = self.span / timedelta(days=1)
            return Finding(self.name, f"younger than {days:g} {'day' if days == 1 else 'days'}")
        return None
