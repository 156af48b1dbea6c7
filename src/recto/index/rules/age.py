"""Hides what was uploaded a short time ago: most malicious releases are found and taken away within days."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from recto.index.base import File, Finding, Project


class Age(Struct, frozen=True):
    """Nothing younger than `days`; also nothing of which the index does not say when it was uploaded.

    `exempt` are normalised names of projects that may be new, such as the operator's own.
    """

    days: float
    exempt: frozenset[str] = frozenset()
    name: str = "age"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if project.name in self.exempt:
            return None
        if file.uploaded is None:
            return Finding(self.name, "the index does not say when it was uploaded")
        if now - file.uploaded < _span(self.days):
            return Finding(self.name, f"younger than {self.days:g} {'day' if self.days == 1 else 'days'}")
        return None


@lru_cache(maxsize=64)  # for each file of a page, and making one takes longer than all else here
def _span(days: float) -> timedelta:
    return timedelta(days=days)
