"""The port of the builder room: a lock to an environment in a directory, proven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from packaging.pylock import Pylock

from recto.interpreters import Base
from recto.progress import Progress


@dataclass(frozen=True, slots=True)
class Order:
    """What to build: the distributions `install` of `lock`, over `base`."""

    lock: Pylock
    install: tuple[str, ...]
    base: Base
    seconds_max: float = 900.0
    installed_bytes_max: int = 10_000_000_000
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """What was built. `modules` maps each installed distribution to its top-level module names."""

    installed_bytes: int
    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    log: str = field(default="", repr=False)


class Builder(Protocol):
    """A tool that builds."""

    def build(
        self,
        order: Order,
        directory: Path,
        progress: Progress,
        cancelled: Callable[[], bool] | None = None,
    ) -> Built:
        """A whole, proven environment in `directory` (made by this call, its parent exists); raises BuildError.

        The environment may be renamed afterwards. What is left in `directory` after an error is the caller's to
        remove. `directory/bin/python` is the interpreter.
        """
        ...
