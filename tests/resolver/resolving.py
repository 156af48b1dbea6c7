"""Words for resolver tests: a base made of metadata, a declaration of lines, one resolver with all it needs."""

from __future__ import annotations

import os
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from fakes import CountingSandbox
from recto.declaration import Declaration, Declared
from recto.interpreters import Base, probe
from recto.problems import Source
from recto.progress import Event
from recto.resolver import Request, Resolution
from recto.resolver.compiling import Uv
from recto.resolver.uv import UvResolver

FILE = "requirements.txt"
# A failing fetch is tried again by uv for ten seconds otherwise.
NETWORK = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ} | {
    "UV_HTTP_RETRIES": "0"
}


@dataclass
class Bench:
    """A resolver over one base and one index; `resolve` takes lines as a project would write them."""

    uv: Path
    directory: Path
    base: Base
    index_url: str | None = None
    protected: tuple[str, ...] = ()
    page_seconds: int = 0
    environment: Mapping[str, str] = field(default_factory=lambda: dict(NETWORK))
    sandbox: CountingSandbox = field(default_factory=CountingSandbox)
    events: list[Event] = field(default_factory=list)

    def resolve(self, *lines: str, preferred: Pylock | None = None, upgrade: bool = False, **asked: Any) -> Resolution:
        return self.answer(Request(declared(*lines, **asked), self.base, preferred=preferred, upgrade=upgrade))

    def answer(self, request: Request, cancelled: Callable[[], bool] | None = None) -> Resolution:
        cache = self.directory / "cache" / "uv"
        uv = Uv(self.uv, cache, self.sandbox, self.environment, self.index_url, self.page_seconds)
        return UvResolver(uv, self.protected).resolve(request, self.events.append, cancelled)


def declared(
    *lines: str,
    constraints: tuple[str, ...] = (),
    as_of: date | None = None,
    python: str | None = None,
    hashes: Mapping[str, tuple[str, ...]] | None = None,
    lock: Pylock | None = None,
) -> Declaration:
    """The declaration of these lines of `requirements.txt`, the first is line 1; `constraints.txt` likewise."""
    given = hashes or {}

    def entries(file: str, texts: tuple[str, ...]) -> tuple[Declared, ...]:
        requirements = ((number, Requirement(text)) for number, text in enumerate(texts, 1))
        return tuple(Declared(one, Source(file, number), given.get(one.name, ())) for number, one in requirements)

    return Declaration(
        entries(FILE, lines),
        entries("constraints.txt", constraints),
        SpecifierSet(python) if python else None,
        Source("doc.qmd", 3) if python else None,
        as_of,
        lock,
        Source("pylock.toml") if lock else None,
    )


def make_base(prefix: Path, *distributions: str) -> Base:
    """A base in `prefix` that has these: `name==version`, or `name==version: requirement | requirement`."""
    venv.create(prefix, symlinks=True, with_pip=False)
    site = next(prefix.glob("lib/python3.*/site-packages"))
    for text in distributions:
        pin, _, requires = text.partition(": ")
        name, version = pin.split("==")
        directory = site / f"{name.replace('-', '_')}-{version}.dist-info"
        directory.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires.split(" | ") if requirement]
        (directory / "METADATA").write_text("\n".join(lines) + "\n")
    return probe(prefix / "bin" / "python")


def installs(resolution: Resolution) -> list[str]:
    """What would be installed, as pins."""
    return [f"{item.name}=={item.version}" for item in resolution.plan.install]


def from_base(resolution: Resolution) -> list[str]:
    """What is taken from the base, as pins."""
    return [f"{item.name}=={item.version}" for item in resolution.plan.from_base]


def locks(resolution: Resolution) -> list[str]:
    """The lock, as pins."""
    return [f"{package.name}=={package.version}" for package in resolution.lock.packages]
