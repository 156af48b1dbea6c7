"""Hides what would run its author's code to be installed."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.base import File, Finding, Project


class WheelsOnly(Struct, frozen=True):
    """Only wheels. A source distribution is built by a script of its own; other kinds are of the past."""

    name: str = "wheels-only"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        return None if file.kind == "wheel" else Finding(self.name, "not a wheel, and only wheels are allowed")
