"""What every build uses: the installer and its caches, and what contains the commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from recto.builder.bytecode import Bytecode
from recto.builder.installing import Installer
from recto.builder.sources import Sources
from recto.builder.starts import Starts
from recto.builder.uv import Uv
from recto.sandbox.base import Sandbox


class Workbench(Struct, frozen=True):
    """The tools of builders.

    `cache` is uv's cache and `bytecode` where compiled files are kept, both on the volume of the environments, so that
    files are linked. `starts` is where watched kernel starts are kept, and `fonts` lists of fonts. `environment` and
    `index_url` are those of Uv. `disk_bytes_max` is what one command of a build may add to the disk. `built` is where
    wheels that were built from source are kept; without it, nothing is built.
    """

    uv: Path
    cache: Path
    bytecode: Path
    starts: Path
    fonts: Path
    sandbox: Sandbox
    environment: Mapping[str, str]
    index_url: str | None = None
    disk_bytes_max: int | None = None
    built: Path | None = None

    def __repr__(self) -> str:
        # The address of an index and the variables may hold credentials.
        return f"Workbench(uv={str(self.uv)!r}, cache={str(self.cache)!r})"

    @property
    def installer(self) -> Installer:
        """What puts wheels and bytecode into environments."""
        return Installer(self.tool, self.cache, Bytecode(self.bytecode))

    @property
    def tool(self) -> Uv:
        """uv, with its cache and its way to the index."""
        return Uv(self.uv, self.cache, self.environment, self.index_url)

    @property
    def sources(self) -> Sources:
        """What builds wheels of sources."""
        index = {} if self.index_url is None else {"UV_DEFAULT_INDEX": self.index_url}
        return Sources(self.uv, self.built, {**self.environment, **index})

    @property
    def kept_starts(self) -> Starts:
        """The watched starts."""
        return Starts(self.starts)
