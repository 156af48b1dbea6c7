"""Files of one environment into another that was made the same way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def files_of(directory: Path) -> Iterator[str]:
    """The names of all files below, relative to the directory; links to directories are not followed."""
    for parent, _, names in os.walk(directory):
        here = os.path.relpath(parent, directory)
        yield from (os.path.normpath(f"{here}/{name}") for name in names)


def move_into(source: Path, names: Iterable[str], target: Path) -> None:
    """Moves these files to the same places in another environment of the volume.

    What has a name there already is replaced and never written to: it may be a link to a file of others.
    """
    for name in sorted(names):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (source / name).rename(place)
