"""Bytes from one end to the other, in both directions, until both have said everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from recto.sandbox.door.limits import DoorLimits

# A connection may hold some of these on each side: a hostile build fills all that it may open.
CHUNK_BYTES = 65_536


class End(Struct, frozen=True):
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def abort(self) -> None:
        """Closes it at once, whatever is unsent; again does nothing."""
        self.writer.transport.abort()


async def relay(build: End, index: End, limits: DoorLimits, *, both: bool) -> None:
    """Returns when the index and, with `both`, the build have ended and everything is handed on.

    An end that only finishes speaking is still listened to. Raises TimeoutError where nothing came for too long, and
    other OSErrors (in a group) where an end went away.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(limits.first_byte_seconds) as deadline:
        begun = False

        def heard() -> None:
            nonlocal begun
            begun = True
            deadline.reschedule(loop.time() + limits.idle_seconds)

        def said() -> None:
            # Whoever talks to a silent index does not make it any less silent.
            if begun:
                heard()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pump(index.reader, build.writer, heard))
            if both:
                tasks.create_task(_pump(build.reader, index.writer, said))
        for end in (build, index):
            end.writer.close()
            await end.writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, moved: Callable[[], None]) -> None:
    while chunk := await reader.read(CHUNK_BYTES):
        moved()
        writer.write(chunk)
        await writer.drain()
    # TLS to a proxy cannot be half closed.
    if writer.can_write_eof():
        writer.write_eof()
