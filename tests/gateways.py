"""A gateway for tests: the real application on the loopback, or called without a network of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
from msgspec import Struct, field

from recto.index.advisories.collection import NONE, Advisories
from recto.index.audit import Audit, NoAudit
from recto.index.base import Rule
from recto.index.serving import Options, opened, server
from recto.index.serving import Rules as LiveRules
from recto.index.upstream import Upstream


class Rules(Struct):
    """A rulebook: the rules of everybody, those of single tenants, and what is known of packages."""

    everybody: tuple[Rule, ...] = ()
    tenants: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    version: str = "1"
    advisories: Advisories = NONE

    def rules_for(self, tenant: str) -> tuple[Rule, ...]:
        """As the port says."""
        return self.tenants.get(tenant, self.everybody)

    def refresh(self) -> None:
        """Nothing changes."""


def options(directory: Path, *urls: str, bytes_max: int = 100_000_000, page_seconds: float = 600.0) -> Options:
    """Options of a gateway below these indexes, named by their order."""
    upstreams = tuple(Upstream(f"index-{number}", url) for number, url in enumerate(urls))
    return Options(directory, upstreams, bytes_max, page_seconds)


@contextmanager
def running(made_of: Options, rules: LiveRules | None = None, audit: Audit | None = None) -> Iterator[str]:
    """A gateway that serves on the loopback; its address."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    ready, done = threading.Event(), threading.Event()
    problems: list[BaseException] = []

    async def run() -> None:
        async with opened(made_of, rules or Rules(), audit or NoAudit()) as app:
            serving = server(app)
            task = asyncio.create_task(serving.serve(sockets=[listening]))
            ready.set()
            await asyncio.to_thread(done.wait)
            serving.should_exit = True
            await task

    def live() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            problems.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        ready.wait()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        done.set()
        thread.join()
        listening.close()
    assert not problems


def client(address: str) -> httpx2.Client:
    """Whoever asks; patient, and following nothing."""
    return httpx2.Client(base_url=address, timeout=30)
