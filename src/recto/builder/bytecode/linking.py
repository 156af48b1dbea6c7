"""Compiled files into an environment: hard links, each there whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recto.builder.bytecode.keeping import Compiled, CompiledFile

# Why a file cannot have another name here: another file system, no such feature, too many names (65,000 on ext4), and
# files of others under `fs.protected_hardlinks`.
_UNLINKABLE = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})

_SEALED, _OPEN = 0o555, 0o755


class Damaged(Exception):
    """A kept file is missing or not what the index says."""


def link(compiled: Compiled, site_packages: Path) -> int:
    """Puts the compiled files below `site_packages` and says how many had to be copied.

    Directories are as writable afterwards as they were before. Whatever stands in a file's place is replaced. Raises
    Damaged where the entry is not whole; what was linked until then is right and may stay.
    """
    copied = 0
    numbered = enumerate(compiled.files)
    with _directory(compiled.directory) as entry, _directory(site_packages) as site:
        for directory, files in itertools.groupby(numbered, key=lambda item: item[1].path.rpartition("/")[0]):
            with _place(site, directory) as place:
                for position, file in files:
                    _check(entry, position, file)
                    copied += _put(entry, str(position), place, file.path.rpartition("/")[2])
    return copied


def make_places(sources: Iterable[str], site_packages: Path) -> None:
    """Makes the directories that compiled files of these sources will go to.

    An environment is weighed and made read-only before its bytecode is finished: so the directories are there by then.
    """
    for directory in {source.rpartition("/")[0] for source in sources}:
        (site_packages / directory / "__pycache__").mkdir(exist_ok=True)


def linked_copy(source: Path, target: Path) -> bool:
    """Gives a file a second name, or makes a copy of it where that is impossible; whether it was copied."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        shutil.copyfile(source, target)
        return True
    return False


# Descriptors and names below, not paths: some thousand files in each build, each path ten directories deep.


def _check(entry: int, position: int, file: CompiledFile) -> None:
    try:
        status = os.stat(str(position), dir_fd=entry, follow_symlinks=False)
    except FileNotFoundError:
        raise Damaged(file.path) from None
    if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns) or not stat.S_ISREG(status.st_mode):
        raise Damaged(file.path)


def _put(entry: int, source: str, place: int, name: str) -> bool:
    """Whether the file had to be copied."""
    try:
        os.link(source, name, src_dir_fd=entry, dst_dir_fd=place, follow_symlinks=False)
    except FileExistsError:
        there = os.stat(name, dir_fd=place, follow_symlinks=False)
        if os.path.samestat(there, os.stat(source, dir_fd=entry, follow_symlinks=False)):
            return False
        # Bytecode that the wheel brought, or that an interpreter wrote in the moment when its directory was open.
        return _replace(entry, source, place, name)
    except FileNotFoundError:
        raise Damaged(name) from None
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        return _replace(entry, source, place, name)
    return False


def _replace(entry: int, source: str, place: int, name: str) -> bool:
    aside = f"{name}.recto"
    with suppress(FileNotFoundError):
        os.unlink(aside, dir_fd=place)
    copied = False
    try:
        os.link(source, aside, src_dir_fd=entry, dst_dir_fd=place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        _copy(entry, source, place, aside)
        copied = True
    os.replace(aside, name, src_dir_fd=place, dst_dir_fd=place)
    return copied


def _copy(entry: int, source: str, place: int, name: str) -> None:
    with (
        os.fdopen(os.open(source, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=entry), "rb") as old,
        os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444, dir_fd=place), "wb") as new,
    ):
        shutil.copyfileobj(old, new)


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise Damaged(str(path)) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sealed(directory: str, site: int) -> bool:
    try:
        return not os.stat(directory, dir_fd=site).st_mode & stat.S_IWUSR
    except FileNotFoundError:
        # The installer has not come to it yet.
        return False


def _make(directory: str, site: int) -> None:
    """Makes the directory and those above it; the installer may be making them just now."""
    try:
        os.mkdir(directory, dir_fd=site)
    except FileExistsError:
        return
    except FileNotFoundError:
        parent = directory.rpartition("/")[0]
        if not parent:
            raise
        _make(parent, site)
        with suppress(FileExistsError):
            os.mkdir(directory, dir_fd=site)


@contextmanager
def _place(site: int, directory: str) -> Iterator[int]:
    """The directory below `site`, made if need be and writable for the block; it and its parent keep their modes."""
    parent = directory.rpartition("/")[0] or "."
    sealed = _sealed(parent, site)
    if sealed:
        os.chmod(parent, _OPEN, dir_fd=site)
    try:
        _make(directory, site)
    finally:
        if sealed:
            os.chmod(parent, _SEALED, dir_fd=site)
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=site)
    try:
        os.fchmod(place, _OPEN)
        yield place
    finally:
        if sealed:
            os.fchmod(place, _SEALED)
        os.close(place)
