"""Which names a distribution makes importable, read from its files without importing anything."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name


def installed_modules(site_packages: Path) -> dict[str, tuple[str, ...]]:
    """The top-level module names of each distribution in a directory, under its normalised name, both sorted.

    From `Import-Name` (PEP 794) where the metadata has it, else from the files in RECORD.
    """
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(site_packages.glob("*.dist-info")):
        distribution = PathDistribution(path)
        name = distribution.metadata["Name"]
        if name:
            found[canonicalize_name(name)] = tuple(sorted(set(_names(distribution))))
    return found


def _names(distribution: Distribution) -> Iterator[str]:
    stated = distribution.metadata.get_all("Import-Name") or []
    if stated:
        # `Import-Name: spam.eggs ; private`: the name before the semicolon, its first part.
        yield from (entry.split(";")[0].strip().split(".")[0] for entry in stated if entry.strip())
        return
    for file in distribution.files or ():
        name = _module(PurePosixPath(file))
        if name is not None:
            yield name


def _module(file: PurePosixPath) -> str | None:
    """The top-level name that a file of RECORD belongs to, if it is importable."""
    top = file.parts[0]
    if top in ("..", "__pycache__") or top.endswith((".dist-info", ".data")):
        return None
    if len(file.parts) == 1:
        top = next((top.removesuffix(suffix) for suffix in all_suffixes() if top.endswith(suffix)), "")
    return top if top.isidentifier() else None
