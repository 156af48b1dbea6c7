"""Files beneath a directory in which code of strangers writes, also while they are read, copied and removed.

Whoever runs a document's cells mostly has more rights than they. A cell may leave a link to a file that it cannot read
itself, a pipe that never ends, a file of a terabyte without a byte in it, or change one for the other between a look
and a use. So nothing here goes by a path that was looked at before: each use resolves its name anew from the descriptor
of the directory, without following a link, and judges what it has opened.

The kernel resolves a name in one call where it can (`openat2`). Elsewhere, and for `early` use, every part is opened
from the part before with O_NOFOLLOW. The promise is the same: no part is a link, none is `..`, and a directory that is
moved away while it is held is still one that was beneath. The second way imports nothing, which is why what a render
reads before its kernel starts goes by it.

What is not promised: that the author of a file may not change it once it was judged (a copy is safe from that), and
that a volume which the machine's owner mounted beneath a shared directory answers.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from recto.problems.amounts import counted, size

# What linux/limits.h lets one call resolve; a longer name is resolved part by part.
_PATH_BYTES_MAX = 4095
_CHUNK_BYTES = 1 << 20
_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe would wait for a writer, and a file that is leased (fcntl(2), F_SETLEASE) for its holder.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LINK = "it is a link, or lies behind one"
_OUTSIDE = "it lies outside of its directory"
_WORDS = {
    errno.ELOOP: _LINK,
    errno.ENOTDIR: "it lies behind a link or a file",
    errno.EXDEV: _OUTSIDE,
    errno.ENOENT: "there is no such file",
    errno.EACCES: "it may not be read",
    errno.EAGAIN: "another process holds it",
    errno.ENAMETOOLONG: "its name is too long",
}


class NotPlain(OSError):
    """A name that is no regular file of its own: a link, a device, a pipe, a second name of somebody else's file."""


class TooLarge(OSError):
    """More than was allowed, bytes or what `noun` names, as the file says of itself or as it turned out."""

    def __init__(self, most: int, noun: str | None = None) -> None:
        super().__init__(errno.EFBIG, f"it has more than {counted(most, noun) if noun else size(most)}")


def why(error: OSError) -> str:
    """What is the matter with a file, in words without its path."""
    if isinstance(error, (NotPlain, TooLarge)):
        return str(error.strerror)
    return _WORDS.get(error.errno or 0) or (error.strerror or str(error)).lower()


class Beneath:
    """The files beneath one directory, held open; a context manager. Names are relative to it, with `/`.

    `directory` itself must be no link, and the caller vouches for the way to it. `private` is for a directory that
    nobody but a run writes to: there a file has one name and lies on the directory's own volume. Elsewhere a file with
    more names belongs to the directory's owner, or it is taken for a link to somebody else's: the kernel lets none be
    made of a file that one may not write to (`fs.protected_hardlinks`), unless it is told to.
    `early` keeps to what costs no import. Raises OSError where there is no such directory.
    """

    def __init__(
        self,
        directory: Path,
        *,
        private: bool = False,
        early: bool = False,
        opened: tuple[int, int] | None = None,
    ) -> None:
        self.directory = directory
        self._private = private
        self._early = early
        # A descriptor and the owner of the directory above, where this is one of its directories.
        self.descriptor, owner = (os.open(directory, os.O_RDONLY | _DIRECTORY), None) if opened is None else opened
        status = os.fstat(self.descriptor)
        self._owner, self._volume = status.st_uid if owner is None else owner, status.st_dev

    def close(self) -> None:
        """Gives the directory back."""
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def followed(self, path: Path) -> str | None:
        """The name that a path has once its links are followed, None where that is not beneath.

        For files that people name and may link within their project. What the name leads to is judged when it is used.
        """
        try:
            return os.fspath(path.resolve(strict=True).relative_to(self.directory.resolve()))
        except (OSError, RuntimeError, ValueError):
            # Missing, a loop of links, a name that no file can have, or one that leads out.
            return None

    def below(self, name: str, *, make: bool = False) -> Beneath:
        """One of its directories; with `make`, made where it is missing. OSError for a link or a file on the way."""
        parts = parts_of(name)
        if make:
            self._make(parts)
        flags = os.O_RDONLY | _DIRECTORY
        inner = self._open(name, flags) if parts else os.open(".", flags, dir_fd=self.descriptor)
        directory = self.directory.joinpath(*parts)
        return Beneath(directory, private=self._private, early=self._early, opened=(inner, self._owner))

    def status(self, name: str) -> os.stat_result:
        """What is known of the plain file of that name. OSError for anything that is none."""
        # Opened for nothing but that: a device may act when it is opened.
        descriptor = self._open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return self._judged(descriptor)
        finally:
            os.close(descriptor)

    def is_plain(self, name: str) -> bool:
        """Whether there is a plain file of that name."""
        try:
            self.status(name)
        except OSError:
            return False
        return True

    def read(self, name: str, bytes_max: int) -> bytes:
        """The bytes of a plain file. TooLarge for more than that many, OSError for what is no plain file."""
        with self.file(name, bytes_max) as descriptor:
            data = _head(descriptor, bytes_max + 1)
        if len(data) > bytes_max:
            raise TooLarge(bytes_max)
        return data

    def head(self, name: str, bytes_max: int) -> bytes:
        """The first bytes of a plain file, at most that many. OSError for what is none."""
        with self.file(name) as descriptor:
            return _head(descriptor, bytes_max)

    @contextmanager
    def file(self, name: str, bytes_max: int | None = None) -> Iterator[int]:
        """The descriptor of a plain file; what says of itself that it has too many bytes is not begun (TooLarge)."""
        self.status(name)
        descriptor = self._open(name, _READ)
        try:
            # Once more: it may be another by now.
            size = self._judged(descriptor).st_size
            if bytes_max is not None and size > bytes_max:
                raise TooLarge(bytes_max)
            yield descriptor
        finally:
            os.close(descriptor)

    def files(self, entries_max: int, depth_max: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of all its plain files, sorted, and of what was left out: no plain file, too deep, not to be told.

        Raises TooLarge where there are more names than that. `depth_max` counts the directories on the way to a file.
        """
        found: list[str] = []
        left_out: list[str] = []
        waiting, left = [""], entries_max
        while waiting:
            here = waiting.pop()
            try:
                entries = self._entries(here, left)
            except OSError:
                left_out.append(_told(here or "."))
                continue
            left -= len(entries)
            if left < 0:
                raise TooLarge(entries_max, "file")
            for entry, is_directory in entries:
                name = f"{here}/{entry}" if here else entry
                if not _can_be_told(entry):
                    left_out.append(_told(name))
                elif is_directory:
                    (waiting if name.count("/") < depth_max else left_out).append(name)
                else:
                    (found if self.is_plain(name) else left_out).append(name)
        return tuple(sorted(found)), tuple(sorted(left_out))

    def _entries(self, here: str, most: int) -> list[tuple[str, bool]]:
        """The names in a directory, one more than `most` of them at the most, and whether each is one."""
        with self.below(here) as inner, os.scandir(inner.descriptor) as entries:
            found = zip(entries, range(most + 1), strict=False)
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry, _ in found]

    def _make(self, parts: tuple[str, ...]) -> None:
        at = os.open(".", os.O_PATH | _DIRECTORY, dir_fd=self.descriptor)
        try:
            for part in parts:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=at)
                inner = os.open(part, os.O_PATH | _DIRECTORY, dir_fd=at)
                os.close(at)
                at = inner
        finally:
            os.close(at)

    def _judged(self, descriptor: int) -> os.stat_result:
        status = os.fstat(descriptor)
        if stat.S_ISLNK(status.st_mode):
            raise NotPlain(errno.ELOOP, _LINK)
        if not stat.S_ISREG(status.st_mode):
            raise NotPlain(errno.EINVAL, "it is no regular file")
        if status.st_nlink > 1 and (self._private or status.st_uid != self._owner):
            raise NotPlain(errno.EMLINK, "it is a second name of another file")
        return status

    def _open(self, name: str, flags: int) -> int:
        parts = parts_of(name)
        if not parts:
            raise NotPlain(errno.EISDIR, "it is no regular file")
        path = "/".join(parts)
        if not self._early and len(os.fsencode(path)) <= _PATH_BYTES_MAX:
            from recto.sandbox import openat2

            descriptor = openat2.opened(self.descriptor, path, flags, one_volume=self._private)
            if descriptor is not None:
                return descriptor
        return self._walked(parts, flags)

    def _walked(self, parts: tuple[str, ...], flags: int) -> int:
        at = self.descriptor
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_PATH | _DIRECTORY, dir_fd=at)
                if at != self.descriptor:
                    os.close(at)
                at = inner
            descriptor = os.open(parts[-1], flags | os.O_NOFOLLOW, dir_fd=at)
        finally:
            if at != self.descriptor:
                os.close(at)
        if self._private and os.fstat(descriptor).st_dev != self._volume:
            os.close(descriptor)
            raise NotPlain(errno.EXDEV, _OUTSIDE)
        return descriptor


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a relative name; NotPlain for one that could lead out, or that no file can have."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise NotPlain(errno.EXDEV, _OUTSIDE)
    return parts


def _head(descriptor: int, most: int) -> bytes:
    gathered = bytearray()
    while len(gathered) < most and (chunk := os.read(descriptor, min(_CHUNK_BYTES, most - len(gathered)))):
        gathered += chunk
    return bytes(gathered)


def _can_be_told(name: str) -> bool:
    """Whether a name is text on one line; any bytes can be one."""
    return not any(letter < " " or "\x7f" <= letter < "\xa0" or "\ud800" <= letter < "\ue000" for letter in name)


def _told(name: str) -> str:
    return name if _can_be_told(name) else ascii(name)[1:-1]
