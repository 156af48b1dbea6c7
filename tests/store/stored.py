"""What the tests of the store share: a clock that a test moves, and small environments."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recto.keys import EnvironmentKey
from recto.store import Lease, Store

START = 1_700_000_000.0


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = START

    def __call__(self) -> float:
        return self.now


def key(number: int) -> EnvironmentKey:
    """A key that is told apart from others by its first digits."""
    return EnvironmentKey(f"{number:08x}".ljust(32, "0"))


def fill(directory: Path, payload_bytes: int = 10_000, shared: Path | None = None) -> None:
    """A small environment: an executable, a link, a payload, and optionally a file hard-linked from elsewhere."""
    (directory / "bin").mkdir(parents=True)
    (directory / "lib" / "deep").mkdir(parents=True)
    (directory / "bin" / "python").write_text("#!/bin/sh\n")
    (directory / "bin" / "python").chmod(0o4755)
    (directory / "bin" / "python3").symlink_to("python")
    (directory / "lib" / "outside").symlink_to("/etc")
    (directory / "lib" / "deep" / "payload").write_bytes(b"x" * payload_bytes)
    if shared is not None:
        os.link(shared, directory / "lib" / "shared")


def publish(store: Store, number: int, payload_bytes: int = 10_000, shared: Path | None = None) -> Lease:
    """An environment, published and leased."""
    with store.stage(key(number)) as staging:
        fill(staging.directory, payload_bytes, shared)
        return staging.publish({"number": number})


def whole(directory: Path) -> bool:
    """Whether the environment is all there."""
    names = ("bin/python", "bin/python3", "lib/deep/payload", "recto.json")
    return all((directory / name).exists() for name in names)


def names(directory: Path) -> list[str]:
    """What is in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


_watchers: list[list[str]] = []


@contextmanager
def watched() -> Iterator[list[str]]:
    """The paths of what is opened or listed in the block; of what is addressed by a descriptor, the path of that."""
    if not _hooked:
        # An audit hook stays for the life of the process.
        sys.addaudithook(_watch)
        _hooked.append(True)
    seen: list[str] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)


_hooked: list[bool] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _watchers and event in ("open", "os.listdir", "os.scandir"):
        found = arguments[0]
        path = f"/proc/self/fd/{found}" if isinstance(found, int) else os.fsdecode(str(found))
        for seen in _watchers:
            seen.append(os.path.realpath(path) if isinstance(found, int) else path)
