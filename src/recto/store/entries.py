"""Entries: what the store holds, one environment each."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from recto.keys import EnvironmentKey
from recto.store.holds import EXCLUSIVE, hold
from recto.store.layout import MANIFEST, Layout
from recto.store.records import Miss, read_object
from recto.store.trees import allocated, weigh


class Entry(Struct, frozen=True):
    """One published environment, as it was when the store was read.

    `bytes` are allocated, shared files included; `own_bytes` leaves those out. Both are as they were when it was
    published, without the manifest. `last_used` is in seconds since 1970.
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


class Candidate(Struct, frozen=True):
    """An environment that might be evicted: when it was last used, in nanoseconds since 1970, and its key."""

    last_used_ns: int
    key: EnvironmentKey


def candidates(layout: Layout) -> list[Candidate]:
    """All environments but the pinned, least recently used first. One directory is listed; no file is read."""
    pinned = pins(layout)
    found = list[Candidate]()
    with os.scandir(layout.environments) as directory:
        for entry in directory:
            if entry.name in pinned or not entry.is_dir(follow_symlinks=False):
                continue
            key = key_of(entry.name)
            # Gone by now, where there is no status.
            with suppress(FileNotFoundError):
                if key is not None:
                    found.append(Candidate(entry.stat(follow_symlinks=False).st_mtime_ns, key))
    return sorted(found, key=lambda one: (one.last_used_ns, one.key.digest))


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
            names = [one.name for one in found if one.name.startswith(prefix) and one.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return sorted(key for name in names if (key := key_of(name)) is not None)


def find(layout: Layout, prefix: str) -> Entry | None:
    """The one environment whose key begins with `prefix`, None unless it is one; a whole key is not searched for."""
    key = key_of(prefix)
    if key is None:
        found = keys(layout, prefix) if prefix else []
        key = found[0] if len(found) == 1 else None
    return None if key is None else entry_of(layout, key, pins(layout))


def own_bytes(layout: Layout, key: EnvironmentKey) -> int:
    """What deleting the environment would free, its manifest included; 0 where it is gone."""
    manifest = layout.environment(key) / MANIFEST
    match read_object(manifest):
        case {"own_bytes": int() as own}:
            with suppress(FileNotFoundError):
                return own + allocated(manifest.lstat())
    return weigh(manifest.parent).own_bytes


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
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    last_used = status.st_mtime
    read = read_object(path / MANIFEST)
    manifest: Mapping[str, Any] = {} if isinstance(read, Miss) else read
    match manifest:
        case {"bytes": int() as total, "own_bytes": int() as own}:
            return Entry(key, path, manifest, total, own, last_used, str(key) in pinned)
    weight = weigh(path)
    return Entry(key, path, manifest, weight.bytes, weight.own_bytes, last_used, str(key) in pinned)


def key_of(name: str) -> EnvironmentKey | None:
    """The key that a name is, None where it is none."""
    try:
        return EnvironmentKey(name)
    except ValueError:
        # Not ours: the store leaves alone what it did not name.
        return None
