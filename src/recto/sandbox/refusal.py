"""What a mechanism raises where it cannot keep what it promises."""

from __future__ import annotations


class SandboxError(Exception):
    """A command was not run, because it could not be contained as asked.

    `reason` is one sentence: what is missing, and how to get it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
