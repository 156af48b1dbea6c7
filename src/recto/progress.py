"""What is going on while somebody waits: the events that resolver, builder and environments report.

An event is a value, never a line of text for a terminal: command line and services word it each in their own way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Self, get_args

from msgspec import Struct

# "finishing" is told to whoever has stopped and is kept by others that wait for the same.
Stage = Literal[
    "resolving", "downloading", "installing", "proving", "executing", "rendering", "finishing", "ready", "failed"
]
Unit = Literal["", "packages", "bytes", "cells", "files"]


class Event(Struct, frozen=True):
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

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """The event that `to_json` wrote; raises ValueError for anything else."""
        match value:
            case {"event": str(), "message": str(), "done": int(), "total": int(), "unit": str(), **more} if not more:
                if value["event"] in get_args(Stage) and value["unit"] in get_args(Unit):
                    return cls(**value)  # type: ignore[arg-type]
        raise ValueError(f"not an event: {value!r}")


Progress = Callable[[Event], None]


def silent(event: Event) -> None:
    """Takes an event and tells nobody."""
