"""Hides projects that are larger than the operator's disk should see."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.base import File, Finding, Project
from recto.problems import size


class ProjectSize(Struct, frozen=True):
    """No project whose files take more than `most` bytes together, nor one where the size of any is not known."""

    most: int
    name: str = "project-size"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if project.bytes is None:
            return Finding(self.name, f"the index does not say how large all files of `{project.name}` are")
        if project.bytes > self.most:
            return Finding(
                self.name,
                f"all files of `{project.name}` have {size(project.bytes)}, and at most {size(self.most)} are allowed",
            )
        return None
