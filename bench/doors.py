"""A row about the way out of a sandbox: an installer that goes straight to the index, and one that goes by the door."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import recto.sandbox.door.forwarder
from bench.house import House, gone
from bench.results import Bar, Peer, Row
from bench.timing import Contender, in_turns, process
from recto.sandbox.door.client import seen_inside
from recto.sandbox.door.hosts import access
from recto.sandbox.door.proxy import Door
from recto.sandbox.door.upstream import upstreams

PACKAGES = ("networkx", "duckdb", "matplotlib")
_FORWARDER = Path(recto.sandbox.door.forwarder.__file__)
DIRECT = "uv straight to the index"


def door(house: House) -> Row:
    """`uv pip install` with an empty cache, resolution and downloads, by the door and its forwarder and without."""
    scratch = house.root / "door"
    gone(scratch)
    scratch.mkdir()
    url = house.index_url
    way = house.variables
    led = access(url, scratch / "hosts", way)
    with ExitStack() as stack:
        opened = stack.enter_context(Door(led, upstreams=upstreams(way)))
        port = _free_port()
        forwarder = (house.app.base().python, "-I", "-S", _FORWARDER, port, opened.socket, "--")
        acts = {
            "ours": Contender(_install(house, scratch, url, seen_inside(way, port), *forwarder), _empty(scratch)),
            DIRECT: Contender(_install(house, scratch, url, way), _empty(scratch)),
        }
        in_turns(1, acts)
        samples = in_turns(house.times(9), acts, settle=True)
        refused = opened.counts.refused
    gone(scratch)
    if refused:
        raise RuntimeError(f"the door refused a host of the index: {refused}")
    peers = {DIRECT: Peer(samples[DIRECT], Bar("within", 1.25))}
    return Row("door", "`uv pip install` with an empty cache, through the door", samples["ours"], peers)


def _install(house: House, scratch: Path, url: str, variables: dict[str, str], *before: object) -> Callable[[], None]:
    options = ("--no-config", "--no-build", "--default-index", url, "--cache-dir", scratch / "cache")
    python = ("--python", house.app.base().python, "--target", scratch / "site")
    return lambda: process([*before, house.app.uv, "pip", "install", *options, *python, *PACKAGES], variables)


def _empty(scratch: Path) -> Callable[[], None]:
    def before() -> None:
        gone(scratch / "cache")
        gone(scratch / "site")

    return before


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
