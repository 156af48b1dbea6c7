"""The indexes above: their pages and files, asked with patience and within bounds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from recto.addresses import inward
from recto.index.page import HTML, JSON, PLAIN_HTML, Page, PageError, read_page
from recto.version import VERSION

_ACCEPT = f"{JSON}, {HTML}; q=0.2, {PLAIN_HTML}; q=0.1"
# The largest page of the public index has 30 MB; more than this is no page.
PAGE_BYTES_MAX = 64_000_000
_PAGE_SECONDS_MAX = 60.0
_SILENCE_SECONDS_MAX = 20.0
_REDIRECTS_MAX = 5
# The key below which a request, and those that it is led to, tell whose they are.
_UPSTREAM = "recto.upstream"
# Each, so that files which come slowly hold up no page.
_PAGES_AT_ONCE = 32
_FILES_AT_ONCE = 32


class UpstreamError(Exception):
    """An index above did not answer as it should; the message says how, without its address."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


class Upstream(Struct, frozen=True):
    """One index above: its name in logs, its address without credentials, and these."""

    name: str
    url: str
    credentials: tuple[str, str] | None = None


class Fetched(Struct, frozen=True):
    """What an index sent for a project: the bytes, their media type, where from, and its ETag."""

    body: bytes
    kind: str
    url: str
    etag: str = ""


class Unchanged(Struct, frozen=True):
    """The index says that the page is what it was."""


class Client:
    """Asks indexes. A context manager; one for a process, with connections that are kept."""

    def __init__(self) -> None:
        self._client = httpx2.AsyncClient(
            follow_redirects=True,
            max_redirects=_REDIRECTS_MAX,
            timeout=httpx2.Timeout(_SILENCE_SECONDS_MAX),
            limits=httpx2.Limits(max_connections=_PAGES_AT_ONCE + _FILES_AT_ONCE, max_keepalive_connections=16),
            headers={"User-Agent": f"recto/{VERSION}"},
            event_hooks={"request": [_require_allowed]},
        )
        self._pages = asyncio.Semaphore(_PAGES_AT_ONCE)
        self._files = asyncio.Semaphore(_FILES_AT_ONCE)

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def page(self, upstream: Upstream, project: str, etag: str = "") -> Fetched | Unchanged | None:
        """What the index sends for a project, None where it has none; raises UpstreamError.

        `etag` is that of the page that is known.
        """
        headers = {"Accept": _ACCEPT, **({"If-None-Match": etag} if etag else {})}
        url = f"{upstream.url.rstrip('/')}/{project}/"
        try:
            async with self._pages, asyncio.timeout(_PAGE_SECONDS_MAX), self._sent(upstream, url, headers) as response:
                if response.status_code == httpx2.codes.NOT_MODIFIED:
                    return Unchanged()
                if response.status_code in (httpx2.codes.NOT_FOUND, httpx2.codes.GONE):
                    return None
                _require(response, httpx2.codes.OK)
                body = await _read(response)
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Fetched(body, kind, str(response.url), response.headers.get("ETag", ""))
        except TimeoutError as error:
            raise UpstreamError(f"the index took more than {_PAGE_SECONDS_MAX:g} seconds", late=True) from error

    @asynccontextmanager
    async def file(
        self, upstream: Upstream, url: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> AsyncIterator[httpx2.Response]:
        """The response with the bytes of a file as they are sent; raises UpstreamError."""
        # As it is: a file that is sent packed has another hash.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        async with self._files, self._sent(upstream, url, sent, method) as response:
            yield response

    @asynccontextmanager
    async def _sent(
        self, upstream: Upstream, url: str, headers: Mapping[str, str], method: str = "GET"
    ) -> AsyncIterator[httpx2.Response]:
        auth = upstream.credentials if _same_origin(url, upstream.url) else None
        try:
            extensions = {_UPSTREAM: upstream}
            async with self._client.stream(method, url, headers=headers, auth=auth, extensions=extensions) as response:
                _require_no_downgrade(upstream.url, response)
                yield response
        except httpx2.TimeoutException as error:
            raise UpstreamError("the index does not answer in time", late=True) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UpstreamError(f"the index cannot be reached ({type(error).__name__})") from error


def understood(fetched: Fetched, name: str) -> Page:
    """The page of what an index sent; raises UpstreamError."""
    from packaging.utils import canonicalize_name

    try:
        return read_page(fetched.body, fetched.kind, canonicalize_name(name), fetched.url)
    except PageError as error:
        raise UpstreamError(str(error)) from error


async def _read(response: httpx2.Response) -> bytes:
    parts, total = [], 0
    async for part in response.aiter_bytes():
        total += len(part)
        if total > PAGE_BYTES_MAX:
            raise UpstreamError(f"the index sent a page of more than {PAGE_BYTES_MAX // 1_000_000} MB")
        parts.append(part)
    return b"".join(parts)


def _require(response: httpx2.Response, status: int) -> None:
    if response.status_code != status:
        raise UpstreamError(f"the index answered with status {response.status_code}")


def _require_no_downgrade(asked: str, response: httpx2.Response) -> None:
    """What was asked for under TLS does not come without."""
    if urlsplit(asked).scheme == "https" and response.url.scheme != "https":
        raise UpstreamError("the index leads from https to http")


async def _require_allowed(request: httpx2.Request) -> None:
    """Holds each request, also one that an index leads to, before it is made."""
    await _require_outward(str(request.url), request.extensions[_UPSTREAM])


async def _require_outward(url: str, upstream: Upstream) -> None:
    """Refuses a file at an address of this machine or its networks, unless the operator's index is there too.

    Else an index could have the gateway read what only this machine can. A name that answers differently a moment later
    is not held: that takes an index that is hostile and the name's owner.
    """
    there, own = _place(url), _place(upstream.url)
    if there is None or own is None:
        raise UpstreamError("the index names a file that is not reached by HTTP")
    if there[0] == own[0]:
        return
    found = await _addresses(*there)
    if any(map(inward, found)) and not found & await _addresses(*own):
        raise UpstreamError("the index names a file at an address of a private network")


async def _addresses(host: str, port: int) -> frozenset[str]:
    """The addresses of a host; none where it has none that can be found here, as behind a proxy."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise UpstreamError("the index names a file by an address that cannot be read") from error
    except OSError:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return parts.hostname, port or (443 if parts.scheme == "https" else 80)


def _same_origin(url: str, other: str) -> bool:
    one, two = urlsplit(url), urlsplit(other)
    return (one.scheme, one.hostname, one.port) == (two.scheme, two.hostname, two.port)
