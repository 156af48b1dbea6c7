"""The port of the builder room: a lock to an environment in a directory, proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from recto.interpreters import Base
from recto.progress import Progress

if TYPE_CHECKING:
    from packaging.pylock import Pylock


class Order(Struct, frozen=True):
    """What to build: the distributions `install` of `lock`, over `base`.

    `built` are those whose wheels were built here from source, with their paths in the lock.
    """

    lock: Pylock
    install: tuple[str, ...]
    base: Base
    seconds_max: float = 900.0
    installed_bytes_max: int = 10_000_000_000
    offline: bool = False
    built: tuple[str, ...] = ()


class Built(Struct, frozen=True):
    """What was built. `modules` maps each installed distribution to its top-level module names.

    `unfinished` are distributions without bytecode yet, by name with their bytecode keys: whoever publishes
    the environment sees to it that a Finisher comes to it. `new_bytes` are allocated bytes that the installer's cache
    took on with this build. `proof` says how the environment was proven.
    """

    installed_bytes: int
    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    log: str = ""
    unfinished: dict[str, str] = field(default_factory=dict)
    new_bytes: int = 0
    proof: str = ""


def settle_nothing() -> None:
    """For whoever has nothing to do once a tree is settled."""


class Builder(Protocol):
    """A tool that builds."""

    def prepare(self, base: Base, cancelled: Callable[[], bool] | None = None) -> None:
        """Does what the first build over this base needs and no lock is needed for, so that it can be done meanwhile.

        A build does what was not done. Raises Cancelled.
        """
        ...

    def build(
        self,
        order: Order,
        directory: Path,
        progress: Progress,
        cancelled: Callable[[], bool] | None = None,
        settled: Callable[[], object] = settle_nothing,
    ) -> Built:
        """A whole, proven environment in `directory` (made by this call, its parent exists); raises BuildError.

        `settled` is called, on any thread, when nothing is written in `directory` any more, be it before the proof, so
        that it can be made read-only meanwhile. The environment may be renamed afterwards. What is left in `directory`
        after an error is the caller's to remove. `directory/bin/python` is the interpreter.
        """
        ...


# Gives the environment's directory for the time of the block, None where it is gone.
Hold = Callable[[], AbstractContextManager[Path | None]]
# Is told of allocated bytes that are new on the disk.
Grown = Callable[[int], None]


class Finisher(Protocol):
    """What gives published environments the bytecode that they lack."""

    def finish(
        self,
        base: Base,
        unfinished: Mapping[str, str],
        hold: Hold,
        grown: Grown,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Links the bytecode of these distributions (name to bytecode key), compiled where nobody has done so before.

        The environment is held only while it is read or written, and may be gone in between. Raises BuildError where
        that cannot be done, Cancelled.
        """
        ...
