"""Hides what is listed."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.base import File, Finding, Project
from recto.index.rules.versions import Ranges, among


class Deny(Struct, frozen=True):
    """None of these projects, or, of those with a range, nothing that is in it."""

    denied: Ranges
    name: str = "deny"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        ranges = self.denied.get(project.name)
        if ranges is None:
            return None
        if "" in ranges:
            return Finding(self.name, f"`{project.name}` is not allowed")
        if file.version is None:
            return Finding(self.name, f"some versions of `{project.name}` are not allowed, and its own cannot be read")
        if among(ranges, file.version):
            return Finding(self.name, f"this version of `{project.name}` is not allowed")
        return None
