"""Compiled files into an environment: hard links, each there whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recto.builder.bytecode.keeping import Compiled, CompiledFile

# Why a file cannot have another name here: another file system, no such feature, too many names (65,000 on ext4), and
# files of others under `fs.protected_hardlinks`.
_UNLINKABLE = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})

_SEALED = 0o555


class Damaged(Exception):
    """A kept file is missing or not what the index says."""


def link(compiled: Compiled, site_packages: Path) -> int:
    """Puts the compiled files below `site_packages` and says how many had to be copied.

    Directories are as writable afterwards as they were before. Whatever stands in a file's place is replaced. Raises
    Damaged where the entry is not whole; what was linked until then is right and may stay.
    """
    copied = 0
    numbered = enumerate(compiled.files)
    for directory, files in itertools.groupby(numbered, key=lambda item: item[1].path.rpartition("/")[0]):
        place = site_packages / directory
        with _open(place):
            for position, file in files:
                source = f"{compiled.directory}/{position}"
                _check(source, file)
                copied += _put(source, f"{site_packages}/{file.path}")
    return copied


def make_places(sources: Iterable[str], site_packages: Path) -> None:
    """Makes the directories that compiled files of these sources will go to.

    An environment is weighed and made read-only before its bytecode is finished: so the directories are there by then.
    """
    for directory in {source.rpartition("/")[0] for source in sources}:
        (site_packages / directory / "__pycache__").mkdir(exist_ok=True)


def _check(source: str, file: CompiledFile) -> None:
    try:
        status = os.stat(source, follow_symlinks=False)  # noqa: PTH116 - some thousand in each build
    except FileNotFoundError:
        raise Damaged(source) from None
    if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns) or not stat.S_ISREG(status.st_mode):
        raise Damaged(source)


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


def _put(source: str, target: str) -> bool:
    """Whether the file had to be copied."""
    try:
        os.link(source, target)
    except FileExistsError:
        if Path(source).samefile(target):
            return False
        # Bytecode that the wheel brought, or that an interpreter wrote in the moment when its directory was open.
        return _replace(source, target)
    except FileNotFoundError:
        raise Damaged(source) from None
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
        return _replace(source, target)
    return False


def _replace(source: str, target: str) -> bool:
    aside = Path(f"{target}.recto")
    aside.unlink(missing_ok=True)
    copied = linked_copy(Path(source), aside)
    aside.chmod(0o444)
    aside.replace(target)
    return copied


@contextmanager
def _open(place: Path) -> Iterator[None]:
    """The directory, made if need be and writable for the block; it and its parent keep their modes."""
    parent = place.parent
    with _writable(parent, needed=not place.is_dir()):
        place.mkdir(parents=True, exist_ok=True)
    sealed = not parent.lstat().st_mode & stat.S_IWUSR
    with _writable(place, needed=True):
        yield
    if sealed:
        place.chmod(_SEALED)


@contextmanager
def _writable(directory: Path, needed: bool) -> Iterator[None]:
    try:
        mode = directory.lstat().st_mode
    except FileNotFoundError:
        yield
        return
    if not needed or mode & stat.S_IWUSR:
        yield
        return
    directory.chmod(0o755)
    try:
        yield
    finally:
        directory.chmod(_SEALED)
