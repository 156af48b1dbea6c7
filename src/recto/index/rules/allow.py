"""Hides everything but what is listed."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.base import File, Finding, Project
from recto.index.rules.versions import Ranges, among


class Allow(Struct, frozen=True):
    """Only these projects, and of those with a range only what is in it. An empty list allows nothing."""

    allowed: Ranges
    name: str = "allow"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        ranges = self.allowed.get(project.name)
        if ranges is None:
            return Finding(self.name, f"`{project.name}` is not among the packages that are allowed")
        if file.version is not None:
            if among(ranges, file.version):
                return None
            return Finding(self.name, f"this version of `{project.name}` is not among those that are allowed")
        if "" in ranges:
            return None
        return Finding(self.name, f"only some versions of `{project.name}` are allowed, and its own cannot be read")
