"""Copies of files that strangers wrote, published whole or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from recto.sandbox.beneath import Beneath, NotPlain, TooLarge, parts_of

_CHUNK_BYTES = 1 << 20


class Copy:
    """A file that is written in full under a name of its own before it takes the one that it is meant to have.

    A copy and not a move: what a cell still holds open it could change later. Whoever makes one publishes or discards
    it.
    """

    def __init__(self, into: Beneath, target: str, mode: int) -> None:
        *parents, self._name = parts_of(target)
        self._parent = into.below("/".join(parents))
        self._path = self._parent.directory / self._name
        self._temporary = f".recto-{os.urandom(8).hex()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(self._temporary, flags, 0o600, dir_fd=self._parent.descriptor)
        except BaseException:
            self._parent.close()
            raise
        self._mode = mode
        self._held = True

    def fill(self, source: int, bytes_max: int) -> None:
        """Takes what an open file holds; raises TooLarge for more than that many bytes, counted as they come."""
        left = bytes_max
        while chunk := os.read(source, min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise TooLarge(bytes_max)
            while chunk:
                chunk = chunk[os.write(self._descriptor, chunk) :]
        os.fchmod(self._descriptor, self._mode)

    @property
    def bytes(self) -> int:
        """How many it holds."""
        return os.fstat(self._descriptor).st_size

    def publish(self) -> Path:
        """Its path, now that it has its name; what had it before is gone, unless that is a directory (OSError).

        Raises NotPlain where another process put something else in its place meanwhile.
        """
        parent = self._parent.descriptor
        os.rename(self._temporary, self._name, src_dir_fd=parent, dst_dir_fd=parent)
        there, own = os.stat(self._name, dir_fd=parent, follow_symlinks=False), os.fstat(self._descriptor)
        if (there.st_dev, there.st_ino) != (own.st_dev, own.st_ino):
            raise NotPlain(errno.EINVAL, "something else was put in its place")
        self.discard()
        return self._path

    def discard(self) -> None:
        """Removes what was not published. May be called again."""
        if not self._held:
            return
        self._held = False
        os.close(self._descriptor)
        # It has its name by now, or somebody took it.
        with suppress(OSError):
            os.unlink(self._temporary, dir_fd=self._parent.descriptor)
        self._parent.close()


def copied(source: Beneath, name: str, into: Beneath, target: str, bytes_max: int, mode: int = 0o644) -> Copy:
    """A copy of a plain file, beside its `target` in another directory, to be published there or discarded.

    Raises TooLarge, or OSError for what is no plain file and where nothing can be written.
    """
    with source.file(name, bytes_max) as descriptor:
        copy = Copy(into, target, mode)
        try:
            copy.fill(descriptor, bytes_max)
        except BaseException:
            copy.discard()
            raise
    return copy
