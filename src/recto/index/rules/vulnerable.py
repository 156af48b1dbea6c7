"""Hides, or warns of, what has a known vulnerability."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.advisories.collection import Advisories
from recto.index.advisories.level import Level
from recto.index.advisories.timeline import Advisory
from recto.index.base import File, Finding, Project


class Vulnerable(Struct, frozen=True):
    """Nothing with an advisory of the level `block` or worse, and a warning for the level `warn` or worse.

    None is a level that nothing reaches. `advisories` has none of those whose id begins with `MAL-`.
    """

    advisories: Advisories
    block: Level | None = None
    warn: Level | None = None
    name: str = "vulnerable"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says. All of a version's advisories make one finding, which names the worst."""
        if file.version is None:
            if not self.advisories.known(project.name):
                return None
            reason = f"some versions of `{project.name}` have known vulnerabilities, and its own cannot be read"
            return Finding(self.name, reason, self.block is not None)
        found = self.advisories.at(project.name, file.version)
        if not found:
            return None
        worst = found[0].level
        blocks = self.block is not None and worst >= self.block
        if not blocks and (self.warn is None or worst < self.warn):
            return None
        return Finding(self.name, _reason(found), blocks)


def _reason(found: tuple[Advisory, ...]) -> str:
    others = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"known vulnerability {found[0].id} ({found[0].level}){others}"
