"""Hides what is known to have been made to do harm."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.advisories.collection import Advisories
from recto.index.base import File, Finding, Project


class Malicious(Struct, frozen=True):
    """Nothing that an advisory names whose id begins with `MAL-`: `advisories` has no other.

    It goes by the version, not by the name: releases of good projects were taken over, and names given to others.
    """

    advisories: Advisories
    blocks: bool = True
    name: str = "malicious"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if file.version is None:
            if not self.advisories.known(project.name):
                return None
            reason = f"some versions of `{project.name}` are known to be malicious, and its own cannot be read"
            return Finding(self.name, reason, self.blocks)
        found = self.advisories.at(project.name, file.version)
        return Finding(self.name, f"known to be malicious ({found[0].id})", self.blocks) if found else None
