"""Entries: what the store holds, one environment each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recto.keys import EnvironmentKey
from recto.store.holds import EXCLUSIVE, hold
from recto.store.layout import MANIFEST, Layout
from recto.store.records import Miss, read_object
from recto.store.trees import measure


@dataclass(frozen=True, slots=True)
class Entry:
    """One published environment, as it was when the store was read.

    `bytes` are allocated, shared files included; `own_bytes` leaves those out. `last_used` is in seconds since 1970.
    `manifest` is empty where it cannot be read: such an environment still counts, and can be evicted.
    """

    key: EnvironmentKey
    path: Path
    manifest: Mapping[str, Any]
    bytes: int
    own_bytes: int
    last_used: float
    pinned: bool

    @property
    def in_use(self) -> bool:
        """Whether somebody holds a lease at the moment of asking; a moment later it may be otherwise."""
        try:
            descriptor = hold(self.path, EXCLUSIVE, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            return False
        if descriptor is None:
            return True
        os.close(descriptor)
        return False


def entries(layout: Layout) -> Iterator[Entry]:
    """Every published environment, in no order; what disappears meanwhile is left out."""
    pinned = pins(layout)
    for key in keys(layout):
        entry = entry_of(layout, key, pinned)
        if entry is not None:
            yield entry


def keys(layout: Layout, prefix: str = "") -> list[EnvironmentKey]:
    """The keys of published environments that begin with `prefix`, sorted; only a directory is an environment."""
    try:
        with os.scandir(layout.environments) as found:
            names = [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(key for name in names if name.startswith(prefix) and (key := key_of(name)) is not None)


def pins(layout: Layout) -> frozenset[str]:
    """The keys that are pinned."""
    try:
        return frozenset(path.name for path in layout.pins.iterdir())
    except FileNotFoundError:
        return frozenset()


def entry_of(layout: Layout, key: EnvironmentKey, pinned: frozenset[str]) -> Entry | None:
    """The environment of this key, None where it is not published."""
    path = layout.environment(key)
    try:
        last_used = path.stat().st_mtime
    except FileNotFoundError:
        return None
    read = read_object(path / MANIFEST)
    manifest: Mapping[str, Any] = {} if isinstance(read, Miss) else read
    match manifest:
        case {"bytes": int() as total, "own_bytes": int() as own}:
            return Entry(key, path, manifest, total, own, last_used, str(key) in pinned)
    total = measure([path])
    return Entry(key, path, manifest, total, total, last_used, str(key) in pinned)


def key_of(name: str) -> EnvironmentKey | None:
    """The key that a name is, None where it is none."""
    try:
        return EnvironmentKey(name)
    except ValueError:
        # Not ours: the store leaves alone what it did not name.
        return None
