"""The refusal of the room: a command that cannot be contained as it must be is not run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recto.problems import RectoError, problem


class SandboxError(RectoError):
    """Nothing was run; `reason` is one sentence: what is missing, and how to get it."""

    def __init__(self, reason: str, raw: str = "") -> None:
        self.reason = reason.rstrip(".")
        super().__init__(problem("sandbox-unavailable", reason=self.reason), raw)


def require(paths: Iterable[Path]) -> None:
    """Raises SandboxError for a path that is not there: a command would be contained without what it needs."""
    for path in paths:
        if not path.exists():
            raise SandboxError(f"`{path}` is not there")
