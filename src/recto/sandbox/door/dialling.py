"""Connections to allowed destinations: the name is looked up here, and what was looked up is what is connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from functools import partial

from recto.sandbox.door.access import Access
from recto.sandbox.door.destinations import Destination
from recto.sandbox.door.heads import END, RefusedError
from recto.sandbox.door.relay import CHUNK_BYTES, End
from recto.sandbox.door.upstream import Upstream


class UnreachableError(Exception):
    """An allowed destination cannot be reached; the sentence says why."""


async def dial(destination: Destination, access: Access) -> End:
    """A connection to an address that was checked; raises RefusedError, UnreachableError."""
    addresses = await _addresses(destination)
    fine = access.reachable(destination, addresses, frozenset())
    if not fine:
        own = frozenset([one for named in access.beside(destination) for one in await _addresses(named)])
        fine = access.reachable(destination, addresses, own)
    if not fine:
        raise RefusedError(403, f"`{destination.host}` leads to an address of a private network.")
    return await _connected(fine, destination.port)


async def dial_through(upstream: Upstream, destination: Destination, context: ssl.SSLContext | None) -> End:
    """A tunnel through the operator's proxy, which looks names up itself; raises UnreachableError."""
    end = await reach(upstream, context)
    try:
        lines = [f"CONNECT {destination.authority} HTTP/1.1", f"Host: {destination.authority}"]
        lines += [f"Proxy-Authorization: {upstream.authorization}"] if upstream.authorization else []
        end.writer.write("\r\n".join(lines).encode() + END)
        answer = await end.reader.readuntil(END)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        end.abort()
        raise UnreachableError("The operator's proxy did not answer.") from error
    except asyncio.CancelledError:
        end.abort()
        raise
    status = answer.split(b"\r\n", 1)[0].split(b" ")[1:2]
    if not status or not status[0].startswith(b"2"):
        end.abort()
        words = b"".join(status)[:3].decode("ascii", "replace")
        raise UnreachableError(f"The operator's proxy answered {words or 'with nothing'}.")
    return end


async def reach(upstream: Upstream, context: ssl.SSLContext | None) -> End:
    """A connection to the operator's proxy itself; raises UnreachableError."""
    place = upstream.destination
    return await _connected(await _addresses(place), place.port, context if place.tls else None, place.host)


async def _addresses(destination: Destination) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"The name `{destination.host}` is not known.") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _connected(addresses: list[str], port: int, context: ssl.SSLContext | None = None, name: str = "") -> End:
    """The first of the addresses that answers; they are tried one after another, as they are sorted (RFC 6724)."""
    loop = asyncio.get_running_loop()
    for address in addresses:
        with suppress(OSError):
            # An address is no name: nothing is looked up again.
            reader = asyncio.StreamReader(CHUNK_BYTES, loop)
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await loop.create_connection(
                partial(_same, protocol), address, port, ssl=context, server_hostname=name if context else None
            )
            return End(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
    raise UnreachableError("No address of the host answers.")


def _same(protocol: asyncio.StreamReaderProtocol) -> asyncio.StreamReaderProtocol:
    return protocol
