"""The proxy on a build's socket, on a thread of our own process."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from recto.sandbox.door.access import Access
from recto.sandbox.door.counts import Counts, Tally
from recto.sandbox.door.limits import DoorLimits
from recto.sandbox.door.porter import Porter
from recto.sandbox.door.relay import CHUNK_BYTES, End
from recto.sandbox.door.upstream import Upstreams
from recto.sandbox.refusal import refusal
from recto.sandbox.temporary import temporary

_SOCKET = "door"
# sockaddr_un holds 108 bytes (unix(7)).
_PATH_BYTES_MAX = 100
_BACKLOG = 1024

_Serving = Callable[[Path, "Future[None]", asyncio.Event], Coroutine[Any, Any, None]]


class Door:
    """A socket that leads to what `access` allows, from its first use until it is closed.

    Whoever can open the socket's file can use it; it lies in a directory that is this user's alone, so that it is shown
    to a sandbox by binding the file. The operator's proxies and their passwords are used here and shown to nobody.
    """

    def __init__(
        self,
        access: Access,
        *,
        upstreams: Upstreams | None = None,
        limits: DoorLimits | None = None,
        scratch: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`scratch` is where the socket's directory is made; `tls` is for a proxy that is spoken to by TLS."""
        self._limits = limits or DoorLimits()
        self._scratch = scratch
        self._tally = Tally()
        self._porter = Porter(access, upstreams or Upstreams(), self._limits, self._tally, tls)
        self._mutex = threading.Lock()
        self._open: _Open | None = None

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def socket(self) -> Path:
        """The socket's file, where something listens from now on; raises SandboxError."""
        with self._mutex:
            if self._open is None:
                self._open = _Open(self._serve, self._scratch)
            return self._open.path

    @property
    def counts(self) -> Counts:
        """What was asked so far."""
        return self._tally.snapshot()

    def close(self) -> None:
        """Ends every connection and takes the socket away; the next use opens another one."""
        with self._mutex:
            if self._open is not None:
                self._open.close()
                self._open = None

    async def _serve(self, path: Path, ready: Future[None], stop: asyncio.Event) -> None:
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            full = len(tasks) >= self._limits.connections
            build = End(reader, writer)
            task = asyncio.create_task(self._porter.turn_away(build) if full else self._porter.serve(build))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_unix_server(accept, path, limit=CHUNK_BYTES, backlog=_BACKLOG)
        path.chmod(0o666)
        ready.set_result(None)
        await stop.wait()
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Open:
    """The directory, the socket and the thread of a door that is open."""

    def __init__(self, serve: _Serving, scratch: Path | None) -> None:
        self._held = ExitStack()
        try:
            # For its owner alone.
            directory = self._held.enter_context(temporary(scratch))
        except OSError as error:
            raise refusal(f"the socket of the way to the index cannot be made: {error}") from error
        self.path = directory / _SOCKET
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        ready: Future[None] = Future()
        # A daemon: a process that ends without closing its door is not kept from it.
        self._thread = threading.Thread(target=self._run, args=(serve, ready), name="door", daemon=True)
        try:
            if len(os.fsencode(self.path)) > _PATH_BYTES_MAX:
                raise refusal(f"the path of a socket has at most {_PATH_BYTES_MAX} bytes; `{directory}` is too long")
            self._thread.start()
            ready.result()
        except OSError as error:
            self.close()
            raise refusal(f"nothing can listen at `{self.path}`: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the thread, and with it all connections."""
        if self._thread.ident is None:
            self._loop.close()
        else:
            # A loop that never listened has closed itself.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._held.close()

    def _run(self, serve: _Serving, ready: Future[None]) -> None:
        try:
            self._loop.run_until_complete(serve(self.path, ready, self._stop))
        except OSError as error:
            ready.set_exception(error)
        finally:
            # A name that is still being looked up is not waited for.
            self._loop.close()
