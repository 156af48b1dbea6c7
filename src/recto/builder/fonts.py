"""Matplotlib's list of the machine's fonts, made once: where it finds none, it looks through all of them, for seconds.

Made with the base in a sandbox and no document near, so that renders, which may not write where others read, get a copy
of it into their own home. It is made again when fonts came or went, as fontconfig sees that: by the times of the
directories. Looked at when versions are resolved, never when a ready environment renders.

    FONTS/fontlist-*.json   the lists, one for each format that a version of matplotlib has
    FONTS/seen.json         of which fonts they are (`fonts`), and which versions of matplotlib made theirs (`made`)
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from recto.builder.commands import Commands
from recto.caching import keep_json, replace_whole
from recto.problems import BuildError
from recto.sandbox.beneath import Beneath, TooLarge

_LIST = "fontlist-*.json"
_SEEN = "seen.json"
_MATPLOTLIB = "matplotlib"
# A machine with all of Noto has some thousand fonts, of 300 bytes each.
_BYTES_MAX = 20_000_000
# Where fontconfig is told of fonts and has them, as far as a contained command sees it. A home is not shown to it.
PLACES = (Path("/etc/fonts"), Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/usr/share/texmf/fonts"))


def keep_fonts(commands: Commands, directory: Path, places: Collection[Path] = PLACES) -> None:
    """Leaves a list of the fonts of now in the directory, unless it is there or the base has no matplotlib.

    Where matplotlib makes none within the limits, there is none until fonts change. Raises Cancelled.
    """
    version = commands.base.identity.distributions.get(_MATPLOTLIB)
    if version is None:
        return
    fonts = _digest(places)
    made = _made(directory / _SEEN, fonts)
    if version in made:
        return
    with suppress(BuildError):
        _make(commands, directory)
    keep_json(directory / _SEEN, {"fonts": fonts, "made": [*made, version]})


def _make(commands: Commands, directory: Path) -> None:
    made = commands.scratch / "fonts"
    made.mkdir()
    environment = {"MPLCONFIGDIR": str(made), "HOME": str(commands.scratch), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    argv = (str(commands.base.python), "-I", "-c", "import matplotlib.font_manager")
    commands.run(argv, environment)
    directory.mkdir(parents=True, exist_ok=True)
    with Beneath(made, private=True) as left:
        for name in sorted(path.name for path in made.glob(_LIST)):
            with suppress(TooLarge):
                if left.is_plain(name):
                    replace_whole(directory / name, left.read(name, _BYTES_MAX), 0o644)


def _made(seen: Path, fonts: str) -> list[str]:
    """Which versions of matplotlib made a list of these fonts; none where nothing tells."""
    try:
        value = json.loads(seen.read_bytes())
        return [str(version) for version in value["made"]] if value["fonts"] == fonts else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _digest(places: Collection[Path]) -> str:
    """Stands for which fonts there are."""
    total = hashlib.sha256()
    for path, changed in sorted(_directories(places)):
        total.update(f"{path}\0{changed}\0".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _directories(places: Collection[Path]) -> Iterator[tuple[str, int]]:
    for place in places:
        for path, _, _ in os.walk(place):
            # One may go meanwhile.
            with suppress(OSError):
                yield path, os.stat(path).st_mtime_ns  # noqa: PTH116 - of a walk through hundreds of names
