"""What happens to one connection at the door: its request is read, and led on or refused."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress

from msgspec import Struct

from recto.sandbox.door.access import Access
from recto.sandbox.door.counts import Tally, count
from recto.sandbox.door.dialling import UnreachableError, dial, dial_through, reach
from recto.sandbox.door.heads import END, Head, RefusedError, parsed
from recto.sandbox.door.hello import RECORD_HEAD, check_name, record_bytes
from recto.sandbox.door.limits import DoorLimits
from recto.sandbox.door.relay import End, relay
from recto.sandbox.door.upstream import Upstreams

# A refusal is lost where its connection is closed with something unread (unix(7)): so long is read, and so much.
_PARTING_SECONDS = 1.0
_PARTING_BYTES = 65_536
_READ_BYTES = 65_536

# What no head holds: told when it comes, not when the end of the head does not come.
_RUBBISH = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BEGINNING = re.compile(rb"[A-Z]{1,16}(\Z| )")

_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_TUNNEL = b"HTTP/1.1 200 Connection established" + END


class _OverError(Exception):
    """Nothing more is said on this connection."""


class Porter(Struct, frozen=True):
    """Serves connections one by one; what came of them goes into the tally."""

    access: Access
    upstreams: Upstreams
    limits: DoorLimits
    tally: Tally
    tls: ssl.SSLContext | None

    async def serve(self, build: End) -> None:
        """Serves one request to its end; afterwards the connection is closed, whatever happened."""
        try:
            head, rest = await self._head(build)
            if head is not None:
                await self._lead(build, head, rest)
        except RefusedError as refusal:
            await _answer(build, refusal)
        except _OverError:
            # Nobody is to be told.
            return
        finally:
            build.abort()

    async def turn_away(self, build: End) -> None:
        """Tells that too many are there."""
        self.tally.crowded += 1
        build.writer.write(_response(503, "As many connections as are allowed are open."))
        build.writer.close()

    async def _head(self, build: End) -> tuple[Head | None, bytes]:
        """The request and what came behind its head; None where the other end said nothing or went away."""
        try:
            async with asyncio.timeout(self.limits.head_seconds):
                head, rest = await _until_end(build.reader, self.limits.head_bytes)
            return (parsed(head), rest) if head else (None, b"")
        except RefusedError:
            self.tally.malformed += 1
            raise
        except TimeoutError:
            self.tally.late += 1
            raise RefusedError(408, "The request did not come in time.") from None
        except OSError:
            return None, b""

    async def _lead(self, build: End, head: Head, rest: bytes) -> None:
        name = head.destination.authority
        try:
            if not self.access.allows(head.destination):
                raise RefusedError(403, f"`{name}` is not a host of the package index.")
            async with asyncio.timeout(self.limits.connect_seconds):
                index, first = await self._reached(head)
        except RefusedError:
            count(self.tally.refused, name)
            raise
        except UnreachableError as error:
            count(self.tally.failed, name)
            raise RefusedError(502, f"`{name}` cannot be reached. {error}") from error
        except TimeoutError:
            count(self.tally.failed, name)
            raise RefusedError(502, f"`{name}` did not answer in time.") from None
        tunnel = head.method == "CONNECT"
        try:
            if tunnel:
                build.writer.write(_TUNNEL)
                first = await self._first_words(build, head, rest)
            count(self.tally.allowed, name)
            index.writer.write(first)
            await relay(build, index, self.limits, both=tunnel)
        except* OSError:
            # An end that went away, or said nothing for too long, takes the other one with it.
            pass
        finally:
            index.abort()

    async def _first_words(self, build: End, head: Head, said: bytes) -> bytes:
        """What the client of a tunnel says first, once it is seen to ask for the host that the tunnel leads to.

        A client gives an address no name, so that there is nothing to see. What is refused here ends without a word:
        the client has been told already that its tunnel is there.
        """
        host = head.destination.host
        if head.destination.numeric:
            return said
        try:
            async with asyncio.timeout(self.limits.head_seconds):
                said = await _at_least(RECORD_HEAD, build.reader, said)
                length = record_bytes(said)
                said = await _at_least(length, build.reader, said)
            check_name(said[:length], host)
        except (RefusedError, EOFError, OSError) as error:
            count(self.tally.refused, head.destination.authority)
            raise _OverError from error
        return said

    async def _reached(self, head: Head) -> tuple[End, bytes]:
        """A connection on which the destination is spoken to, and the request that it gets, if it is not a tunnel."""
        destination = head.destination
        upstream = self.upstreams.towards(destination)
        if head.method == "CONNECT":
            if upstream is None:
                return await dial(destination, self.access), b""
            return await dial_through(upstream, destination, self.tls), b""
        if upstream is None:
            return await dial(destination, self.access), _request(head, head.path)
        # Proxies lead tunnels to the port of TLS and to no other: a plain request is theirs to make.
        own = (b"proxy-authorization: " + upstream.authorization.encode(),) if upstream.authorization else ()
        whole = f"http://{destination.authority}{head.path}"
        return await reach(upstream, self.tls), _request(head, whole, own)


async def _at_least(count: int, reader: asyncio.StreamReader, said: bytes) -> bytes:
    """So many bytes or more, those that were said among them; raises EOFError where the other end says no more."""
    while len(said) < count:
        chunk = await reader.read(_READ_BYTES)
        if not chunk:
            raise EOFError
        said += chunk
    return said


def _request(head: Head, target: str, more: tuple[bytes, ...] = ()) -> bytes:
    """One request on a connection of its own, so that nothing behind it is taken for a second one."""
    first = f"{head.method} {target} HTTP/1.1".encode()
    host = b"host: " + _shortest(head).encode()
    return b"\r\n".join((first, host, *head.fields, *more, b"connection: close")) + END


def _shortest(head: Head) -> str:
    """The authority without the port that is meant anyway: servers make addresses of it."""
    return head.destination.authority.removesuffix(":80")


async def _until_end(reader: asyncio.StreamReader, limit: int) -> tuple[bytes, bytes]:
    """The head without its end, and what came behind it; empty where nothing came. Raises RefusedError."""
    got = bytearray()
    while chunk := await reader.read(_READ_BYTES):
        looked = max(0, len(got) - len(END))
        got += chunk
        found = got.find(END, looked)
        if _RUBBISH.search(got, looked, len(got) if found < 0 else found) or not _BEGINNING.match(got):
            raise RefusedError(400, "This is not a request.")
        if found > limit or (found < 0 and len(got) > limit):
            raise RefusedError(431, f"The head of a request has at most {limit} bytes.")
        if found >= 0:
            return bytes(got[:found]), bytes(got[found + len(END) :])
    if got:
        raise RefusedError(400, "The request ends before its head does.")
    return b"", b""


def _response(status: int, sentence: str) -> bytes:
    body = f"{sentence}\n".encode()
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "Content-Type: text/plain; charset=utf-8"]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode() + END + body


async def _answer(build: End, refusal: RefusedError) -> None:
    """Says it, and listens for a moment, so that it is heard."""
    with suppress(OSError):
        async with asyncio.timeout(_PARTING_SECONDS):
            build.writer.write(_response(refusal.status, refusal.sentence))
            build.writer.write_eof()
            left = _PARTING_BYTES
            while left > 0 and (chunk := await build.reader.read(_READ_BYTES)):
                left -= len(chunk)
