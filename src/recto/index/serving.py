"""A gateway that serves: at an address, until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.types import ASGIApp

from recto.index.application import application
from recto.index.files import Files
from recto.index.gateway import Gateway, Rulebook
from recto.index.pages import Pages
from recto.index.upstream import Client, Upstream

# Of each worker: beyond that, clients are told to come later.
_CONNECTIONS_MAX = 1000
# What is under way when it is told to stop may end.
_GRACE_SECONDS = 5


class Options(Struct, frozen=True):
    """What a gateway is made of. `directory` holds what it keeps, at most `bytes_max` of files."""

    directory: Path
    upstreams: Sequence[Upstream]
    bytes_max: int
    page_seconds: float = 600.0


@asynccontextmanager
async def opened(options: Options, rulebook: Rulebook) -> AsyncIterator[Starlette]:
    """The application of a gateway that is open; what it has under way ends with the block."""
    async with Client() as client:
        pages = Pages(options.directory, client, options.upstreams, options.page_seconds)
        gateway = Gateway(pages, Files(options.directory, client, options.bytes_max), rulebook)
        try:
            yield application(gateway)
        finally:
            await gateway.close()


def server(app: ASGIApp) -> uvicorn.Server:
    """What serves the application on sockets that are given to it."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)


def serve(options: Options, rulebook: Rulebook, listening: socket.socket) -> None:
    """Serves on a socket that listens, until this process is told to stop."""

    async def run() -> None:
        async with opened(options, rulebook) as app:
            await server(app).serve(sockets=[listening])

    asyncio.run(run())
