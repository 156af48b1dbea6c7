"""What is installed in directories of packages, read from metadata without importing anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from recto.builder.inventory import metadata_directories

# The longest RECORD seen has 2 MB (a deep-learning framework); one that is longer counts as silent.
_RECORD_BYTES_MAX = 4_000_000
_NAMES_MAX = 20_000
_DISTRIBUTIONS_MAX = 2_000
# Of Python sources and of compiled modules, whose names go on with a tag of the interpreter.
_SUFFIXES = (".py", ".so", ".pyd")


class Bringing(Struct, frozen=True):
    """A distribution and whether the module is its own alone: False for a directory that others may add to."""

    name: str
    version: str
    own: bool


def importable(site_packages: Iterable[Path]) -> frozenset[str]:
    """The top-level names that can be imported from these directories; what cannot be listed counts as empty."""
    return frozenset(name for directory in site_packages for name in islice(_tops(directory), _NAMES_MAX))


def bringing(module: str, site_packages: Path, names: Iterable[str] | None = None) -> tuple[Bringing, ...]:
    """The distributions in a directory whose RECORD has a file of the module, dotted names included.

    Only those with these normalised `names` are looked at, all by default. What cannot be read counts as absent: the
    directory may be deleted meanwhile.
    """
    try:
        found = metadata_directories(site_packages)
    except OSError:
        return ()
    wanted = found.keys() if names is None else [name for name in names if name in found]
    path = module.replace(".", "/")
    answers = ((name, found[name], _own(found[name], path)) for name in islice(wanted, _DISTRIBUTIONS_MAX))
    return tuple(
        Bringing(name, info.name.removesuffix(".dist-info").partition("-")[2], own)
        for name, info, own in answers
        if own is not None
    )


def _own(info: Path, path: str) -> bool | None:
    """Whether the distribution owns what lies at the path, None where it has nothing there."""
    record = _text(info / "RECORD")
    if f"{path}/" not in record and f"{path}." not in record:
        return None
    files = [line.split(",")[0].strip('"') for line in record.splitlines() if line.strip('"').startswith(path)]
    if any(file.endswith(_SUFFIXES) and file.startswith((f"{path}.", f"{path}/__init__.")) for file in files):
        return True
    return False if any(file.startswith(f"{path}/") for file in files) else None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_RECORD_BYTES_MAX + 1)
    except OSError:
        return ""
    return data.decode("utf-8", "replace") if len(data) <= _RECORD_BYTES_MAX else ""


def _tops(directory: Path) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries]
    except (OSError, ValueError):
        # A name with a null character is a path to nothing.
        return
    for name in names:
        top = name.partition(".")[0] if name.endswith(_SUFFIXES) else name
        if top.isidentifier() and top != "__pycache__":
            yield top
