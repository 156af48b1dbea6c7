"""Goes by what the index says of a project as a whole (PEP 792)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.declaration.showing import shown
from recto.index.base import File, Finding, Project

_LEFT_ALONE = ("archived", "deprecated")


class ProjectStatus(Struct, frozen=True):
    """Nothing of a project in quarantine, nor of one whose status is none that PEP 792 has.

    `archived` says what becomes of projects that are archived or deprecated: `hide`, `warn` or `keep`.
    """

    archived: str = "warn"
    name: str = "project-status"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if project.status == "active" or (project.status in _LEFT_ALONE and self.archived == "keep"):
            return None
        why = f": {shown(project.status_reason)}" if project.status_reason else ""
        blocks = project.status not in _LEFT_ALONE or self.archived == "hide"
        return Finding(self.name, f"the index says that `{project.name}` is {shown(project.status, 40)}{why}", blocks)
