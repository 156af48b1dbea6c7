"""A gateway that serves: at an address, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.types import ASGIApp

from recto.index.advisories.collection import Advisories
from recto.index.application import application
from recto.index.audit import Audit
from recto.index.files import Files
from recto.index.gateway import Gateway, Rulebook
from recto.index.pages import Pages
from recto.index.upstream import Client, Upstream
from recto.problems import Problem

# Beyond that, clients are told to come later.
_CONNECTIONS_MAX = 1000
# What is under way when it is told to stop may end.
_GRACE_SECONDS = 5
# How often it is seen whether advisories changed.
_REFRESH_SECONDS = 60.0


class Rules(Rulebook, Protocol):
    """A rulebook over advisories that may change."""

    @property
    def advisories(self) -> Advisories:
        """What is known now."""
        ...

    def refresh(self) -> Problem | None:
        """Sees whether there is more to know, which may block, and says what stands in the way of that."""
        ...


class Options(Struct, frozen=True):
    """What a gateway is made of. `directory` holds what it keeps, at most `bytes_max` of files."""

    directory: Path
    upstreams: Sequence[Upstream]
    bytes_max: int
    page_seconds: float = 600.0


def nothing(found: Problem) -> None:
    """Says nothing."""


@asynccontextmanager
async def opened(
    options: Options, rules: Rules, audit: Audit, say: Callable[[Problem], None] = nothing
) -> AsyncIterator[Starlette]:
    """The application of a gateway that is open; what it has under way ends with the block.

    `say` is told what stands in the way of newer advisories, each time that this changes.
    """
    async with Client() as client:
        pages = Pages(options.directory, client, options.upstreams, options.page_seconds)
        gateway = Gateway(pages, Files(options.directory, client, options.bytes_max), rules)
        refreshing = asyncio.create_task(_refresh(rules, say))
        try:
            yield application(gateway, audit, lambda: rules.advisories)
        finally:
            refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await refreshing
            await gateway.close()


def server(app: ASGIApp) -> uvicorn.Server:
    """What serves the application on sockets that are given to it."""
    logging.getLogger("uvicorn.error").addFilter(_worth_saying)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # Else whoever asks from this machine writes into the audit log who they are.
        proxy_headers=False,
        lifespan="off",
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)


def serve(
    options: Options, rules: Rules, audit: Audit, listening: socket.socket, say: Callable[[Problem], None]
) -> None:
    """Serves on a socket that listens, until this process is told to stop."""

    async def run() -> None:
        async with opened(options, rules, audit, say) as app:
            await server(app).serve(sockets=[listening])

    asyncio.run(run())


def _worth_saying(record: logging.LogRecord) -> bool:
    """Whether it is more than that requests are cut off at the end, which is told with a traceback for each."""
    error = record.exc_info[0] if record.exc_info else None
    cut_off = error is not None and issubclass(error, asyncio.CancelledError)
    return not cut_off and not record.getMessage().startswith("Cancel ")


async def _refresh(rules: Rules, say: Callable[[Problem], None]) -> None:
    told: Problem | None = None
    while True:
        await asyncio.sleep(_REFRESH_SECONDS)
        found = await asyncio.to_thread(rules.refresh)
        if found is not None and found != told:
            say(found)
        told = found
