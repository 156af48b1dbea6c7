"""Hides what its authors took back (PEP 592)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.declaration.showing import shown
from recto.index.base import File, Finding, Project


class Yanked(Struct, frozen=True):
    """Nothing yanked. Without this rule installers take such a file only where exactly its version is asked for."""

    name: str = "yanked"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if file.yanked is None:
            return None
        return Finding(self.name, f"yanked by its authors{': ' if file.yanked else ''}{shown(file.yanked)}")
