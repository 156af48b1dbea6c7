"""Wheels that no environment uses any more: what of the installer's cache may go when the disk is short.

uv keeps each unpacked wheel in a directory of `archive-v0` and links its files into environments, so a wheel is in use
while any of its files has a second link. uv takes a directory that is gone as a miss and fetches the wheel again
(seen with 0.13.9). Where files could not be linked but were copied, no wheel looks used, and all of them may go.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

_BLOCK_BYTES = 512


def sweep_wheels(cache: Path) -> int:
    """Deletes the unpacked wheels of uv's cache that nothing links to; the allocated bytes that this freed.

    Nothing is deleted while a uv runs on this cache: each holds its `.lock` shared, and this wants it exclusively.
    """
    try:
        lock = os.open(cache / ".lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    else:
        # What an installer that was killed had begun to unpack lies beside them.
        return sum(_swept(directory) for directory in (*_archives(cache), *filter(Path.is_dir, cache.glob(".tmp*"))))
    finally:
        os.close(lock)


def forget_wheel(cache: Path, name: str) -> None:
    """Deletes every unpacked wheel of the distribution with this normalised name: the installer fetches it again.

    Environments keep the files that they link to. An installer that is just linking from it fails, and is run again.
    """
    for archive in _archives(cache):
        if any(canonicalize_name(info.name.split("-")[0]) == name for info in archive.glob("*.dist-info")):
            shutil.rmtree(archive, ignore_errors=True)


def _archives(cache: Path) -> list[Path]:
    # The number is the version of uv's own layout of this bucket.
    return [archive for bucket in cache.glob("archive-v*") for archive in bucket.iterdir() if archive.is_dir()]


def _swept(archive: Path) -> int:
    """The bytes freed by deleting the archive, 0 where it is in use."""
    freed = 0
    for status in _entries(archive):
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            return 0
        freed += status.st_blocks * _BLOCK_BYTES
    shutil.rmtree(archive)
    return freed


def _entries(directory: Path) -> Iterator[os.stat_result]:
    for here, _, names in os.walk(directory):
        yield Path(here).lstat()
        for name in names:
            yield Path(here, name).lstat()
