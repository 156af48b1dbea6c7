"""The refusal of the room: a command that cannot be contained as it must be is not run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from recto.problems import SandboxError, problem


def refusal(reason: str, raw: str = "") -> SandboxError:
    """The refusal to run a command; `reason` is one sentence: what is missing, and how to get it."""
    return SandboxError(problem("sandbox-unavailable", reason=reason.rstrip(".")), raw)


def require(paths: Iterable[Path]) -> None:
    """Raises SandboxError for a path that is not there: a command would be contained without what it needs."""
    for path in paths:
        if not path.exists():
            raise refusal(f"`{path}` is not there")
