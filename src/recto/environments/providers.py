"""Which distributions bring a module, as the environments of the store and the base show it.

A manifest records the first names of what was installed, so a look at it says where to look; the distribution's RECORD
says whether a dotted name is there and whether the name is its own or one that others share (`google`, `azure`).

Looking is bounded: the environments used last, manifests up to a size, and it happens only after an import failed.
Whatever cannot be read counts as absent, since an environment may be evicted while it is looked at.
"""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec import Struct

from recto.builder.layer import site_packages
from recto.environments.installed import Bringing, bringing, importable
from recto.environments.model import Environment
from recto.interpreters import Base
from recto.keys import EnvironmentKey
from recto.store.layout import MANIFEST, Layout

# Of environments with forty distributions: some 20 kB each, in all a tenth of a second.
_ENVIRONMENTS_MAX = 100
_LISTED_MAX = 20_000
_MANIFEST_BYTES_MAX = 1_000_000
_MANIFESTS_BYTES_MAX = 8_000_000
# One that has been found in as many places need not be looked for in more.
_DISTRIBUTIONS_MAX = 8


class Providers(Struct, frozen=True):
    """Looks for modules in one store and in the base that its environments lie over."""

    layout: Layout
    base: Base

    def recorded(self, module: str) -> tuple[Bringing, ...]:
        """The distributions that bring the module into an environment of the store, each once, the last used first."""
        top = module.split(".", maxsplit=1)[0]
        found: dict[str, Bringing] = {}
        looked = set[str]()
        for directory, modules in self._manifests():
            # Each distribution once, in the newest environment that has it: a hundred may have the same ten.
            names = [name for name, tops in modules.items() if _lists(tops, top) and name not in looked]
            looked.update(names)
            # Nothing to read for most environments.
            site = _site_packages(directory) if names else None
            for one in bringing(module, site, names) if site else ():
                found[one.name] = one
            if len(found) >= _DISTRIBUTIONS_MAX:
                break
        return tuple(found.values())

    def installed(self, module: str, environment: Environment) -> tuple[Bringing, ...]:
        """The distributions that bring the module into this environment or the base beneath it."""
        return tuple(one for site in self._sites(environment) for one in bringing(module, site))

    def importable(self, environment: Environment) -> frozenset[str]:
        """The top-level names that the environment can import, apart from Python's own."""
        return importable(self._sites(environment))

    def parts(self, package: str, environment: Environment) -> frozenset[str]:
        """The names of the modules inside a package of the environment, dotted names included."""
        return importable(site.joinpath(*package.split(".")) for site in self._sites(environment))

    def _sites(self, environment: Environment) -> tuple[Path, ...]:
        own = None if environment.key is None else _site_packages(environment.prefix)
        return self.base.site_packages if own is None else (own, *self.base.site_packages)

    def _manifests(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Environments, the last used first, with the top-level modules of each distribution in them."""
        left = _MANIFESTS_BYTES_MAX
        for directory in _last_used(self.layout.environments):
            data = _read(directory / MANIFEST, min(left, _MANIFEST_BYTES_MAX))
            left -= len(data)
            modules = _modules(data)
            if modules:
                yield directory, modules


def _last_used(environments: Path) -> list[Path]:
    """The directories of environments that were used last, newest first."""
    try:
        with os.scandir(environments) as entries:
            times = [(time, entry.path) for entry in islice(entries, _LISTED_MAX) if (time := _used(entry)) is not None]
    except OSError:
        return []
    return [Path(path) for _, path in heapq.nlargest(_ENVIRONMENTS_MAX, times)]


def _used(entry: os.DirEntry[str]) -> int | None:
    try:
        EnvironmentKey(entry.name)
        return entry.stat(follow_symlinks=False).st_mtime_ns if entry.is_dir(follow_symlinks=False) else None
    except (OSError, ValueError):
        return None


def _read(path: Path, most: int) -> bytes:
    """The bytes of a file, none where it is longer than that."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError:
        return b""
    return data if len(data) <= most else b""


def _modules(data: bytes) -> Mapping[str, Any]:
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    modules = manifest.get("modules") if isinstance(manifest, dict) else None
    return modules if isinstance(modules, dict) else {}


def _lists(tops: object, top: str) -> bool:
    return isinstance(tops, list) and top in tops


def _site_packages(directory: Path) -> Path | None:
    """Where the packages of an environment lie, None where it is gone or is not one."""
    try:
        return site_packages(directory)
    except (OSError, ValueError):
        return None
