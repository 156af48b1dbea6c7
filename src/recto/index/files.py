"""Files by their sha256, verified before anybody can have them whole, and given while they still come.

```
DIR/files/ab/cdef…       the bytes; the name is their sha256
DIR/metadata/ab/cdef….D  the metadata of a wheel of that sha256; D is the metadata's own
DIR/coming/              what is being fetched
```
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from recto.index.ranges import Span
from recto.index.shelf import Shelf
from recto.index.upstream import Client, Upstream, UpstreamError
from recto.index.wheel_metadata import metadata_of

CHUNK_BYTES = 256 * 1024
# A wheel of the largest of all projects has three gigabytes.
FILE_BYTES_MAX = 8_000_000_000
# Installers ask for the end of a wheel, where the list of what is in it stands.
PART_BYTES_MAX = 8_000_000
_OK, _PARTIAL = 200, 206


class Wanted(Struct, frozen=True):
    """One file of an index: where it is, what it must be, and whether it is a wheel."""

    upstream: Upstream
    url: str
    sha256: str
    size: int | None = None
    wheel: bool = False


class Arrival:
    """A file while it comes. Readers get all but its end at once, and the end when all of it was verified.

    So nobody gets a whole file that is not what the index said.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor = descriptor
        self.path = path
        self.total: int | None = None
        self._written = 0
        self._error: UpstreamError | None = None
        self._verified = False
        self._moved = asyncio.Event()

    def grown(self, size: int) -> None:
        """So many bytes more are there."""
        self._written += size
        self._tell()

    def over(self, error: UpstreamError | None = None) -> None:
        """All of it is there and verified, or it will never be."""
        self._verified, self._error = error is None, error
        self._tell()

    async def begun(self) -> int | None:
        """How large it will be, None where the index does not say; raises UpstreamError where nothing comes."""
        while not (self._written or self._verified or self._error or self.total is not None):
            await self._moved.wait()
        if self._error is not None:
            raise self._error
        return self._written if self._verified else self.total

    async def bytes(self, descriptor: int) -> AsyncIterator[bytes]:
        """Its bytes in their order, read from a descriptor of its file; raises UpstreamError where they end early."""
        at = 0
        while True:
            moved = self._moved
            # The last piece waits until it is known what the whole is.
            ready = self._written if self._verified else self._written - CHUNK_BYTES
            if at < ready:
                piece = os.pread(descriptor, min(CHUNK_BYTES, ready - at), at)
                at += len(piece)
                yield piece
            elif self._error is not None:
                raise self._error
            elif self._verified:
                return
            else:
                await moved.wait()

    def _tell(self) -> None:
        # Whoever waits has the old one.
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


class Fetching(Struct, frozen=True):
    """A file that comes: its size, where that is known, its bytes, and the descriptor that they are read from."""

    size: int | None
    bytes: AsyncIterator[bytes]
    descriptor: int


class Files:
    """Files that were fetched, and those that come. One flight for each sha256; what no index says is never kept.

    At most `bytes_max` are kept, and what was used longest ago goes first.
    """

    def __init__(self, directory: Path, client: Client, bytes_max: int) -> None:
        self._directory = directory
        self._client = client
        self.shelf = Shelf(directory / "files", bytes_max)
        self._metadata = Shelf(directory / "metadata", max(bytes_max // 100, 1))
        self._coming: dict[str, tuple[Arrival, asyncio.Task[None]]] = {}
        self._coming_in = directory / "coming"
        self._coming_in.mkdir(parents=True, exist_ok=True)
        _sweep(self._coming_in)

    def kept(self, sha256: str) -> Path | None:
        """Where the file is, used now; None where it is not kept."""
        return self.shelf.get(sha256)

    @property
    def metadata_changes(self) -> int:
        """What grows whenever the metadata of another wheel is known, or of one no more."""
        return self._metadata.changes

    def metadata_sha256(self, sha256: str) -> str | None:
        """The sha256 of the metadata of a wheel that is kept; None where it is not."""
        return self._metadata.note(sha256)

    def metadata(self, sha256: str) -> Path | None:
        """Where the metadata of a wheel is, whether the wheel is still kept or not."""
        return self._metadata.get(sha256)

    async def fetch(self, wanted: Wanted) -> Fetching:
        """The file as it comes, which has to be closed; raises UpstreamError where nothing does."""
        if wanted.sha256 not in self._coming:
            arrival = Arrival(*self._new())
            task = asyncio.create_task(self._bring(wanted, arrival))
            self._coming[wanted.sha256] = arrival, task
        arrival, _ = self._coming[wanted.sha256]
        # At once: it may be here, and closed, before anybody is told that it has begun.
        descriptor = os.dup(arrival.descriptor)
        try:
            return Fetching(await arrival.begun(), arrival.bytes(descriptor), descriptor)
        except BaseException:
            os.close(descriptor)
            raise

    async def size(self, wanted: Wanted) -> int:
        """How large the file is; raises UpstreamError where nobody says so."""
        if wanted.size is not None:
            return wanted.size
        async with self._client.file(wanted.upstream, wanted.url, method="HEAD") as response:
            length = _length(response.headers.get("Content-Length"))
            if response.status_code != _OK or length is None:
                raise UpstreamError("the index does not say how large a file is")
            return length

    async def part(self, wanted: Wanted, part: Span) -> bytes | None:
        """Some bytes of a file that is not kept, passed on and not kept either: a part cannot be verified.

        None where the part is large or the index gives no parts. Raises UpstreamError.
        """
        length = part.end - part.start
        if length > PART_BYTES_MAX:
            return None
        headers = {"Range": f"bytes={part.start}-{part.end - 1}"}
        async with self._client.file(wanted.upstream, wanted.url, headers) as response:
            said = response.headers.get("Content-Range", "").partition("/")[0]
            if response.status_code != _PARTIAL or said != part.content_range(0).partition("/")[0]:
                return None
            body = b""
            async for piece in response.aiter_raw(CHUNK_BYTES):
                body += piece
                if len(body) > length:
                    break
            if len(body) != length:
                raise UpstreamError("the index sent another part of a file than was asked for")
            return body

    async def close(self) -> None:
        """Ends what is under way and forgets what came of it."""
        tasks = [task for _, task in self._coming.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _new(self) -> tuple[int, Path]:
        """A new file, open, and held by a lock, which tells it from one that a killed process left (`_swept`)."""
        descriptor, name = tempfile.mkstemp(dir=self._coming_in)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor, Path(name)

    async def _bring(self, wanted: Wanted, arrival: Arrival) -> None:
        try:
            await self._receive(wanted, arrival)
            await asyncio.to_thread(self._publish, wanted, arrival)
            arrival.over()
        except UpstreamError as error:
            arrival.over(error)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            reason = "no space is left for it" if full else f"it cannot be kept: {error.strerror}"
            arrival.over(UpstreamError(reason))
        except BaseException:
            # Whoever waits for it would wait for ever.
            arrival.over(UpstreamError("the gateway is being stopped, or has failed"))
            raise
        finally:
            del self._coming[wanted.sha256]
            # Published, it has another name.
            arrival.path.unlink(missing_ok=True)
            os.close(arrival.descriptor)

    async def _receive(self, wanted: Wanted, arrival: Arrival) -> None:
        size_max = FILE_BYTES_MAX if wanted.size is None else wanted.size
        digest, total = hashlib.sha256(), 0
        async with self._client.file(wanted.upstream, wanted.url) as response:
            if response.status_code != _OK:
                raise UpstreamError(f"the index answered with status {response.status_code} for a file")
            arrival.total = _length(response.headers.get("Content-Length")) or wanted.size
            async for piece in response.aiter_raw(CHUNK_BYTES):
                total += len(piece)
                if total > size_max:
                    raise UpstreamError("the index sends more than it said of a file")
                digest.update(piece)
                _write(arrival.descriptor, piece)
                arrival.grown(len(piece))
        if digest.hexdigest() != wanted.sha256:
            raise UpstreamError("the index sent another file than its page names (another sha256)")

    def _publish(self, wanted: Wanted, arrival: Arrival) -> None:
        self.shelf.put(wanted.sha256, arrival.path)
        if not wanted.wheel or (text := metadata_of(arrival.descriptor)) is None:
            return
        # It only makes the next resolution faster.
        with suppress(OSError):
            descriptor, path = self._new()
            try:
                _write(descriptor, text)
                self._metadata.put(wanted.sha256, path, hashlib.sha256(text).hexdigest())
            finally:
                path.unlink(missing_ok=True)
                os.close(descriptor)


def _sweep(directory: Path) -> None:
    """Removes what processes that are gone left half fetched."""
    for path in directory.iterdir():
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]


def _length(text: str | None) -> int | None:
    # Of more digits Python makes no number.
    return int(text) if text is not None and text.isdecimal() and len(text) < 20 else None
