"""How a render ends before its output is written."""

from __future__ import annotations

from collections.abc import Iterable

from recto.engines.base import Status
from recto.problems import EngineError, Problem, Source


class Stopped(EngineError):
    """The render ended early; `status` says how."""

    def __init__(self, status: Status, problems: Iterable[Problem] | Problem) -> None:
        super().__init__(problems)
        self.status = status

    def at(self, source: Source) -> Stopped:
        """The same end, placed at `source`."""
        return Stopped(self.status, (found.at(source) for found in self.problems))
