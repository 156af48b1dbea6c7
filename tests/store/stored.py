"""What the tests of the store share: a clock that a test moves, and small environments."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
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


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """What this process opens ("open") or lists ("list") in the block, with the path."""
    watcher = _watcher()
    watcher.append([])
    try:
        yield watcher[-1]
    finally:
        watcher.pop()


@cache
def _watcher() -> list[list[tuple[str, str]]]:
    """Lists that an audit hook, which stays for the life of the process, writes to while they are in here."""
    lists: list[list[tuple[str, str]]] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if lists and event in ("open", "os.listdir", "os.scandir"):
            found = arguments[0]
            path = Path(f"/proc/self/fd/{found}").readlink() if isinstance(found, int) else found
            for one in lists:
                one.append(("open" if event == "open" else "list", str(path)))

    sys.addaudithook(watch)
    return lists
