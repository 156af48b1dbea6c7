"""A command with the door to the index as its only way out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from recto.sandbox.base import Command
from recto.sandbox.door.client import certificates, seen_inside

if TYPE_CHECKING:
    from recto.sandbox.door.access import Access

FORWARDER = Path(__file__).with_name("forwarder.py")
# Of a loopback that nobody else is on.
_PORT = 8080


class Leading:
    """Leads commands to what `access` allows, each by a door of its own: none can be in the way of another.

    `environment` is the machine's: proxies and certificates. `access` is asked at the first use.
    """

    def __init__(self, access: Callable[[], Access], environment: Mapping[str, str]) -> None:
        self._access = access
        self._environment = environment
        # Not a virtual environment's: what it would read there is not shown.
        self._python = Path(sys.executable).resolve()

    @contextmanager
    def led(self, command: Command) -> Iterator[Command]:
        """The command behind a forwarder; the door is open as long as the block runs. Raises SandboxError."""
        # Not before: a render reaches no index, and these bring asyncio and TLS.
        from recto.sandbox.door.asking import trust
        from recto.sandbox.door.proxy import Door
        from recto.sandbox.door.upstream import upstreams

        towards = upstreams(self._environment)
        with Door(self._access(), upstreams=towards, tls=trust(self._environment)) as door:
            shown = (door.socket, FORWARDER, Path(sys.base_prefix), *certificates(command.environment))
            yield replace(
                command,
                argv=(str(self._python), "-I", "-S", str(FORWARDER), str(_PORT), str(door.socket), "--", *command.argv),
                environment=seen_inside(command.environment, _PORT),
                read_only=(*command.read_only, *shown),
            )
