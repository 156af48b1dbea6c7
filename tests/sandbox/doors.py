"""Real things around a door in tests: clients on its socket, places it leads to, a world without a network."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import recto.sandbox.door.forwarder
from recto.sandbox.door.access import Access
from recto.sandbox.door.destinations import Destination
from recto.sandbox.door.proxy import Door

FORWARDER = Path(recto.sandbox.door.forwarder.__file__)
# The interpreter below a virtual environment, which starts without it.
PYTHON = Path(sys.executable).resolve()
PORT = 8899
# What nothing here may take: a hang ends in a failure, not in a run that does not.
SECONDS_MAX = 60.0

BWRAP = shutil.which("bwrap")


@dataclass
class Place:
    """Something that listens on the loopback, says `greeting` to everybody and keeps what each said.

    It listens to each caller's end, or to `until` if that is given, and says what it heard.
    """

    greeting: bytes = b""
    until: bytes = b""
    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    calls: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def destination(self, *, tls: bool = True, host: str = "127.0.0.1") -> Destination:
        return Destination(host, self.port, tls)


@contextmanager
def listening(place: Place) -> Iterator[Place]:
    """The place, at its port until the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        place.port = server.getsockname()[1]
        callers: list[threading.Thread] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    place.calls += 1
                    thread = threading.Thread(target=_hear, args=(place, connection))
                    thread.start()
                    callers.append(thread)

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield place
        finally:
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in callers:
                thread.join(SECONDS_MAX)


def _hear(place: Place, connection: socket.socket) -> None:
    with connection, suppress(OSError):
        connection.settimeout(SECONDS_MAX)
        connection.sendall(place.greeting)
        heard = b""
        while not (place.until and place.until in heard) and (part := connection.recv(65_536)):
            heard += part
        place.heard.append(heard)
        connection.sendall(b"heard " + heard)
    place.closed.set()


def named(*destinations: Destination) -> Access:
    """Access to what the operator names."""
    return Access(named=frozenset(destinations))


def connected(door: Door) -> socket.socket:
    """A client on the door's socket."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(SECONDS_MAX)
    client.connect(str(door.socket))
    return client


def read_all(connection: socket.socket) -> bytes:
    """Everything until the other end has said everything."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def answer(door: Door, request: bytes) -> bytes:
    """What the door answers to these bytes, after which the client says no more."""
    with connected(door) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return read_all(client)


def hello(name: str | None) -> bytes:
    """The first words of Python's own TLS client that asks for this name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    said = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), said, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return said.read()


def status(response: bytes) -> int:
    """The number in the first line of a response."""
    return int(response.split(b" ", 2)[1])


def forwarder(path: Path, *argv: object, port: int = PORT) -> list[str]:
    """The words that run a command behind the forwarder."""
    return [str(PYTHON), "-I", "-S", str(FORWARDER), str(port), str(path), "--", *(str(word) for word in argv)]


def contained(
    door: Door, *argv: object, writable: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """The command in a world that has no network but its own loopback, and the door's socket as `/tmp/door`."""
    assert BWRAP is not None
    # The machine is shown as it is, without what is private to it: what is tried here is the network.
    world = [BWRAP, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--ro-bind", "/", "/"]
    world += ["--dev", "/dev", "--proc", "/proc", "--bind", str(writable), str(writable)]
    world += ["--tmpfs", "/run", "--ro-bind", str(door.socket), "/run/door"]
    for name, value in environment.items():
        world += ["--setenv", name, value]
    words = [*world, "--", *forwarder(Path("/run/door"), *argv)]
    return subprocess.run(
        words,
        env={"PATH": os.defpath},
        cwd=writable,
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * SECONDS_MAX,
    )
