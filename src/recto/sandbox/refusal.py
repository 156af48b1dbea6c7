"""The refusal of the room: a command that cannot be contained as it must be is not run."""

from __future__ import annotations

from recto.problems import RectoError, problem


class SandboxError(RectoError):
    """Nothing was run; `reason` is one sentence: what is missing, and how to get it."""

    def __init__(self, reason: str, raw: str = "") -> None:
        self.reason = reason.rstrip(".")
        super().__init__(problem("sandbox-unavailable", reason=self.reason), raw)
