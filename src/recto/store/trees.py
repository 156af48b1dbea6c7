"""Directory trees: how many bytes they take, making them read-only, deleting them. Symbolic links are never followed.

Bytes are allocated ones, `st_blocks` of 512 bytes: what deleting gives back, whatever the files' lengths say.
Nobody may write in a tree while it is sealed or deleted: entries are addressed by path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of a tree: all of it, and the part that no other tree links to."""

    bytes: int
    own_bytes: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion brought: bytes freed, and bytes that now have one link left elsewhere, for a sweeper to free."""

    freed_bytes: int = 0
    released_bytes: int = 0


def measure(trees: Iterable[Path], seen: set[tuple[int, int]] | None = None) -> int:
    """Bytes of the trees, each file with several links counted once; `seen` carries those over to the next call.

    Trees that change meanwhile are counted as they are met; what is gone counts nothing.
    """
    links = set() if seen is None else seen
    total = 0
    for tree in trees:
        for _, status in _walk(tree):
            if status.st_nlink > 1 and not _is_directory(status):
                identity = (status.st_dev, status.st_ino)
                if identity in links:
                    continue
                links.add(identity)
            total += status.st_blocks * _BLOCK_BYTES
    return total


def seal(tree: Path) -> Weight:
    """Makes everything below `tree` read-only, not `tree` itself; executables stay executable, set-id bits go."""
    total = own = 0
    shared = set[int]()
    for path, status in _walk(tree):
        size = status.st_blocks * _BLOCK_BYTES
        if path != tree:
            _seal_one(path, status.st_mode)
        if _is_directory(status) or status.st_nlink == 1:
            own += size
        elif status.st_ino in shared:
            continue
        else:
            shared.add(status.st_ino)
        total += size
    return Weight(total, own)


def delete(tree: Path) -> Deleted:
    """Deletes the tree, read-only or not; OSError where something cannot be deleted."""
    freed, released = 0, dict[int, int]()
    directories = list[Path]()
    for path, status in _walk(tree, make_writable=True):
        size = status.st_blocks * _BLOCK_BYTES
        if _is_directory(status):
            directories.append(path)
            freed += size
            continue
        path.unlink()
        released.pop(status.st_ino, None)
        if status.st_nlink == 1:
            freed += size
        elif status.st_nlink == 2:
            released[status.st_ino] = size
    for path in reversed(directories):
        path.rmdir()
    return Deleted(freed, sum(released.values()))


def _walk(tree: Path, make_writable: bool = False) -> Iterator[tuple[Path, os.stat_result]]:
    # A stack, not recursion: what is in an environment was written by strangers, and may be nested deeply.
    pending = [tree]
    while pending:
        path = pending.pop()
        try:
            status = path.lstat()
            if _is_directory(status):
                if make_writable and status.st_mode & 0o700 != 0o700:
                    path.chmod(0o700)
                pending += path.iterdir()
        except FileNotFoundError:
            continue
        yield path, status


def _seal_one(path: Path, mode: int) -> None:
    if stat.S_ISLNK(mode):
        return
    sealed = 0o555 if stat.S_ISDIR(mode) else 0o444 | mode & 0o111
    if stat.S_IMODE(mode) != sealed:
        path.chmod(sealed)


def _is_directory(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode)
