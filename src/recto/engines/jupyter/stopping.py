"""How a render ends before its output is written."""

from __future__ import annotations

from collections.abc import Iterable

from recto.engines.base import Status
from recto.problems import EngineError, Problem


class Stopped(EngineError):
    """The render ended early; `status` says how."""

    def __init__(self, status: Status, problems: Iterable[Problem] | Problem) -> None:
        super().__init__(problems)
        self.status = status
