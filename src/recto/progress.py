"""What is going on while somebody waits: the events that resolver, builder and environments report.

An event is a value, never a line of text for a terminal: command line and services word it each in their own way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["resolving", "downloading", "installing", "proving", "executing", "rendering", "ready", "failed"]
Unit = Literal["", "packages", "bytes", "cells", "files"]


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a wait: `done` of `total` in `unit`, `total` 0 where it is not known."""

    event: Stage
    message: str = ""
    done: int = 0
    total: int = 0
    unit: Unit = ""

    def to_json(self) -> dict[str, object]:
        """A JSON object with the five fields of the progress contract."""
        return {
            "event": self.event,
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
            "message": self.message,
        }


Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """Takes an event and tells nobody."""
