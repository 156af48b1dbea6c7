"""Pages of projects, kept on disk: current for a while, and as good as nothing else where the indexes are away.

```
DIR/pages/ab/NAME.page   one line of JSON about it, then the bytes as they were sent; ab is of the name's digest
```
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from recto.caching import replace_whole
from recto.index.flights import Flights
from recto.index.page import Page
from recto.index.upstream import Client, Fetched, Unchanged, Upstream, UpstreamError, understood
from recto.index.weighed import Weighed

_READ_BYTES_MAX = 60_000_000
_MISSING_MAX = 10_000
# A project that is not there may be there soon; a client that asks again and again is not passed on each time.
_MISSING_SECONDS = 60.0
_HEAD_BYTES_MAX = 4096


class _Head(Struct, frozen=True):
    """What is kept beside the bytes of a page; `sha256` is theirs, so that damage is a miss."""

    upstream: str
    kind: str
    url: str
    etag: str
    asked: float
    sha256: str


class Found(Struct, frozen=True):
    """A page, the index that has it, and whether that could be asked whether it is current."""

    page: Page
    upstream: Upstream
    current: bool = True


class Pages:
    """The pages of several indexes, of which the first that has a project is asked for it and no other.

    A page is current for `seconds`. An index that cannot be asked is not passed over, since a later one could offer
    another project of the same name: what is kept of it is shown, or UpstreamError raised.
    """

    def __init__(
        self,
        directory: Path,
        client: Client,
        upstreams: Sequence[Upstream],
        seconds: float = 600.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._client = client
        self._upstreams = tuple(upstreams)
        self._seconds = seconds
        self._clock = clock
        self._flights: Flights[str] = Flights()
        self._read: Weighed[str, tuple[_Head, Page]] = Weighed(_READ_BYTES_MAX)
        self._missing: Weighed[str, float] = Weighed(_MISSING_MAX)

    async def get(self, name: str) -> Found | None:
        """The page of a project (its normalised name), None where no index has it; raises UpstreamError."""
        now = self._clock()
        kept = self._read.get(name) or await asyncio.to_thread(self._load, name)
        if kept is not None and now - kept[0].asked < self._seconds and self._of(kept[0]) is not None:
            return self._found(kept)
        since = self._missing.get(name)
        if since is not None and now - since < _MISSING_SECONDS:
            return None
        found: Found | None = await self._flights.join(name, lambda: self._ask(name, kept))
        return found

    def names(self) -> list[str]:
        """The projects of which a page is kept, sorted."""
        return sorted(path.name.removesuffix(".page") for path in self._directory.glob("pages/??/*.page"))

    async def close(self) -> None:
        """Ends what is under way."""
        await self._flights.close()

    async def _ask(self, name: str, kept: tuple[_Head, Page] | None) -> Found | None:
        for upstream in self._upstreams:
            mine = kept if kept is not None and kept[0].upstream == upstream.name else None
            try:
                answer = await self._client.page(upstream, name, mine[0].etag if mine else "")
                if answer is None:
                    continue
                if isinstance(answer, Unchanged):
                    if mine is None:
                        raise UpstreamError("the index says that a page is unchanged of which it was not asked")
                    return await self._renewed(name, mine)
                return await self._kept(name, upstream, answer)
            except UpstreamError:
                if kept is None or self._of(kept[0]) is None:
                    raise
                return self._found(kept, current=False)
        self._missing.put(name, self._clock(), 1)
        return None

    async def _kept(self, name: str, upstream: Upstream, fetched: Fetched) -> Found:
        # Beside the loop: the largest pages take a fifth of a second.
        page = await asyncio.to_thread(understood, fetched, name)
        digest = hashlib.sha256(fetched.body).hexdigest()
        head = _Head(upstream.name, fetched.kind, fetched.url, fetched.etag, self._clock(), digest)
        await asyncio.to_thread(self._write, name, head, fetched.body)
        self._read.put(name, (head, page), page.weight)
        return Found(page, upstream)

    async def _renewed(self, name: str, kept: tuple[_Head, Page]) -> Found:
        head = msgspec.structs.replace(kept[0], asked=self._clock())
        body = await asyncio.to_thread(self._body, name)
        if body is not None:
            await asyncio.to_thread(self._write, name, head, body)
        self._read.put(name, (head, kept[1]), kept[1].weight)
        return self._found((head, kept[1]))

    def _write(self, name: str, head: _Head, body: bytes) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, msgspec.json.encode(head) + b"\n" + body)

    def _body(self, name: str) -> bytes | None:
        read = self._stored(name)
        return None if read is None else read[1]

    def _stored(self, name: str) -> tuple[_Head, bytes] | None:
        """What is on disk, None where it is not there or not what was written."""
        try:
            first, _, body = self._path(name).read_bytes().partition(b"\n")
            head = msgspec.json.decode(first[:_HEAD_BYTES_MAX], type=_Head)
        except (OSError, msgspec.MsgspecError):
            return None
        return (head, body) if hashlib.sha256(body).hexdigest() == head.sha256 else None

    def _load(self, name: str) -> tuple[_Head, Page] | None:
        stored = self._stored(name)
        if stored is None:
            return None
        head, body = stored
        try:
            page = understood(Fetched(body, head.kind, head.url), name)
        except UpstreamError:
            return None
        self._read.put(name, (head, page), page.weight)
        return head, page

    def _found(self, kept: tuple[_Head, Page], *, current: bool = True) -> Found:
        upstream = self._of(kept[0])
        if upstream is None:
            raise UpstreamError("the index that had this project is asked no more")
        return Found(kept[1], upstream, current)

    def _of(self, head: _Head) -> Upstream | None:
        return next((one for one in self._upstreams if one.name == head.upstream), None)

    def _path(self, name: str) -> Path:
        place = hashlib.sha256(name.encode()).hexdigest()[:2]
        return self._directory / "pages" / place / f"{name}.page"
