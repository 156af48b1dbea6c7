"""Directory trees: how many bytes they take, making them read-only, deleting them. Symbolic links are never followed.

Bytes are allocated ones, `st_blocks` of 512 bytes: what deleting gives back, whatever the files' lengths say. What a
tree has *of its own* is what deleting it would free: its directories, and the files that have no link outside of it.

A tree may be nested more deeply than paths may be long, and its names may be any bytes: it was written by strangers.
Each entry is addressed by the descriptor of its directory, is looked at once and is changed only where it must be; at
most 64 descriptors are open. Nobody may write in a tree while it is sealed or deleted.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path

from msgspec import Struct

_BLOCK_BYTES = 512
_SEALED_DIRECTORY = 0o555

# How many directories, one in another, are kept open on the way down; 1024 descriptors are what a process has at least.
# From deeper ones the way back is `..`, which leads astray where a directory was moved meanwhile. What moves in the
# store lies two to four directories deep, so it is never on that part of the way.
_OPEN_DIRECTORIES = 64
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Weight(Struct, frozen=True):
    """Bytes of a tree: all of it, each file once, and the part that is its own."""

    bytes: int
    own_bytes: int


class Deleted(Struct, frozen=True):
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
        with closing(_walk(tree)) as walk:
            total += sum(allocated(status) for _, _, status in walk if _is_first(status, links))
    return total


def weigh(tree: Path) -> Weight:
    """The bytes of one tree, and those of its own."""
    return _weigh(tree, _nothing, _nothing)


def seal(tree: Path) -> Weight:
    """Makes everything below `tree` read-only, not `tree` itself; executables stay executable, set-id bits go."""
    return _weigh(tree, _seal_directory(os.lstat(tree)), _seal_file)


def delete(tree: Path) -> Deleted:
    """Deletes the tree, read-only or not; OSError where something cannot be deleted."""
    freed, released = 0, dict[int, int]()
    with closing(_walk(tree, _make_writable)) as walk:
        for directory, name, status in walk:
            if _is_directory(status):
                os.rmdir(name, dir_fd=directory)
                freed += allocated(status)
                continue
            os.unlink(name, dir_fd=directory)
            released.pop(status.st_ino, None)
            if status.st_nlink == 1:
                freed += allocated(status)
            elif status.st_nlink == 2:
                released[status.st_ino] = allocated(status)
    return Deleted(freed, sum(released.values()))


def allocated(status: os.stat_result) -> int:
    """The bytes that a file or directory takes on the volume."""
    return status.st_blocks * _BLOCK_BYTES


# Called with an entry before it is counted or, where it is a directory, opened: the descriptor of the directory that
# has it, its name, its status.
Visit = Callable[[int, str, os.stat_result], None]


def _weigh(tree: Path, directories: Visit, files: Visit) -> Weight:
    total = own = 0
    unmet = dict[int, int]()
    with closing(_walk(tree, directories)) as walk:
        for directory, name, status in walk:
            size = allocated(status)
            if _is_directory(status):
                total += size
                own += size
                continue
            files(directory, name, status)
            links = unmet.get(status.st_ino, status.st_nlink)
            unmet[status.st_ino] = links - 1
            if links == status.st_nlink:
                total += size
            if links == 1:
                own += size
    return Weight(total, own)


def _nothing(parent: int, name: str, status: os.stat_result) -> None:
    pass


def _make_writable(parent: int, name: str, status: os.stat_result) -> None:
    if status.st_mode & 0o700 != 0o700:
        os.chmod(name, 0o700, dir_fd=parent)


def _seal_directory(top: os.stat_result) -> Visit:
    def seal_one(parent: int, name: str, status: os.stat_result) -> None:
        if not os.path.samestat(status, top) and stat.S_IMODE(status.st_mode) != _SEALED_DIRECTORY:
            os.chmod(name, _SEALED_DIRECTORY, dir_fd=parent)

    return seal_one


def _seal_file(directory: int, name: str, status: os.stat_result) -> None:
    mode = status.st_mode
    sealed = 0o444 | mode & 0o111
    if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) != sealed:
        os.chmod(name, sealed, dir_fd=directory)


def _is_first(status: os.stat_result, seen: set[tuple[int, int]]) -> bool:
    """Whether this is a file that was not seen under another of its names."""
    if status.st_nlink == 1 or _is_directory(status):
        return True
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _is_directory(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode)


class _Level(Struct):
    """A directory that the walk is in: open unless it is deep, with the names that are still to come."""

    descriptor: int | None
    name: str
    status: os.stat_result
    names: list[str]

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _walk(tree: Path, before: Visit = _nothing) -> Generator[tuple[int, str, os.stat_result], None, None]:
    """Everything in the tree and the tree itself, as descriptor of the parent, name, status; content comes first.

    Close it: an error of whoever walks keeps the directories open for as long as the error is kept.
    """
    try:
        levels = [_open_parent(tree)]
    except FileNotFoundError:
        return
    try:
        while levels:
            here = levels[-1]
            parent = here.descriptor
            assert parent is not None, "closed on the way down, opened again on the way up"
            if not here.names:
                if len(levels) > 1:
                    yield _leave(here, levels[-2]), here.name, here.status
                levels.pop().close()
                continue
            name = here.names.pop()
            try:
                status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not _is_directory(status):
                yield parent, name, status
                continue
            before(parent, name, status)
            if (below := _enter(parent, name, status)) is not None:
                levels.append(below)
                if len(levels) > _OPEN_DIRECTORIES:
                    here.close()
    finally:
        for level in levels:
            level.close()


def _open_parent(tree: Path) -> _Level:
    """The directory that holds the tree, which is the only name to come; links on the way to it are followed."""
    descriptor = os.open(tree.parent, os.O_RDONLY | os.O_DIRECTORY)
    return _Level(descriptor, "", os.fstat(descriptor), [tree.name])


def _enter(parent: int, name: str, status: os.stat_result) -> _Level | None:
    """The directory of this name, None where it is gone."""
    try:
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return None
    try:
        return _Level(descriptor, name, status, os.listdir(descriptor))  # noqa: PTH208 (by descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def _leave(below: _Level, above: _Level) -> int:
    """The descriptor of `above`, which is opened again from `below` if it was closed on the way down."""
    if above.descriptor is None:
        assert below.descriptor is not None
        above.descriptor = os.open("..", _DIRECTORY, dir_fd=below.descriptor)
        if not os.path.samestat(os.fstat(above.descriptor), above.status):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), above.name)
    return above.descriptor
