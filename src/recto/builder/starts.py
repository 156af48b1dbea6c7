"""How a kernel starts over a base: what it looks for, so that an environment that adds none of it is proven.

Starting a kernel is a function of the files that it looks for. Over one base and one interpreter those are the same in
every environment, apart from what the environment's own packages put in their way. So one start over a base is watched:
which top-level modules, distributions and entry point groups the starter and the kernel look for, found or not. An
environment whose packages have none of these, no `.pth` file, and nothing where Jupyter looks for kernels and settings,
starts its kernel exactly as the base did. For any other environment the kernel is started.

    STARTS/DIGEST.json   one watched start; DIGEST of the base's identity and of the script that watched it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from packaging.utils import canonicalize_name

from recto.builder.inventory import Inventory
from recto.caching import keep_json
from recto.interpreters import Base
from recto.interpreters.base import digest_of

# What starts a kernel and watches the start; `importlib.resources` would take 8 ms to find it.
SCRIPT = Path(__file__).with_name("proof_script.py")


class Start(Struct, frozen=True):
    """What starting a kernel looks for: first names of modules, normalised names of distributions, and groups."""

    modules: frozenset[str]
    distributions: frozenset[str]
    groups: frozenset[str]

    @classmethod
    def of(cls, answer: Mapping[str, object]) -> Start:
        """The start that the script watched; raises ValueError where it watched none."""
        match answer:
            case {"modules": list(modules), "distributions": list(distributions), "groups": list(groups)} if modules:
                names = frozenset(canonicalize_name(str(name)) for name in distributions)
                return cls(frozenset(map(str, modules)), names, frozenset(map(str, groups)))
        raise ValueError("not a watched start")

    def touched(self, inventories: Mapping[str, Inventory]) -> tuple[str, ...]:
        """What of these distributions a start would come across, in words; nothing means that it is as the base's."""
        found: list[str] = []
        for name, inventory in sorted(inventories.items()):
            found += [f"{name} installs {path}" for path in inventory.intrusions]
            found += [f"{name} has the module {top}" for top in inventory.tops if top in self.modules]
            found += [f"{name} is looked for"] if name in self.distributions else []
            found += [f"{name} has entry points of {group}" for group in self._asked(inventory.groups)]
        return tuple(found)

    def _asked(self, groups: Iterable[str]) -> list[str]:
        # `*` is a look at all entry points, `?` a file of them that could not be read.
        return [group for group in groups if "*" in self.groups or group == "?" or group in self.groups]


class Starts:
    """Watched starts, kept in a directory that may be lost: the next one is watched again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def known(self, base: Base) -> Start | None:
        """The watched start over this base, if there is one."""
        try:
            return Start.of(json.loads(self._file(base).read_bytes()))
        except (FileNotFoundError, ValueError):
            return None

    def keep(self, base: Base, start: Start) -> None:
        """Keeps a watched start; replaced by rename, so that whoever reads sees a whole one."""
        value = {kind: sorted(getattr(start, kind)) for kind in ("modules", "distributions", "groups")}
        keep_json(self._file(base), value)

    def _file(self, base: Base) -> Path:
        return self._directory / f"{hashlib.sha256((digest_of(base) + _watcher()).encode()).hexdigest()[:32]}.json"


def _watcher() -> str:
    return hashlib.sha256(SCRIPT.read_bytes()).hexdigest()
