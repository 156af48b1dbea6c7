"""Hides files that are larger than the operator's disk should see."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recto.index.base import File, Finding, Project
from recto.problems import size


class FileSize(Struct, frozen=True):
    """No file of more than `most` bytes; also none of which the index does not say how large it is."""

    most: int
    name: str = "file-size"

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """As the port says."""
        if file.size is None:
            return Finding(self.name, "the index does not say how large it is")
        if file.size > self.most:
            return Finding(self.name, f"it has {size(file.size)}, and at most {size(self.most)} are allowed")
        return None
