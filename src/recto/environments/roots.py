"""What an interpreter reads apart from the system's own places: where a sandbox has to show it."""

from __future__ import annotations

import re
from pathlib import Path

from recto.builder.layer import LAYER, site_packages

_HOME = re.compile(r"^home\s*=\s*(.+?)\s*$", re.MULTILINE)
# The lines that `write_layer` writes.
_LAYERED = re.compile(r"^import site; site\.addsitedir\((['\"])(.+)\1\)$", re.MULTILINE)


def roots_of(prefix: Path) -> tuple[Path, ...]:
    """The directories that the interpreter with this `sys.prefix` reads: an environment, its base, the one below.

    Read from `pyvenv.cfg` (PEP 405) and our own layer, without starting anything.
    """
    found = dict.fromkeys([prefix])
    for directory in (prefix, *_layered(prefix)):
        found[directory] = None
        home = _HOME.search(_text(directory / "pyvenv.cfg"))
        if home is not None:
            # The executable may be a link there; what it reads lies around what it links to.
            found[Path(home[1]).parent] = None
            found[(Path(home[1]) / "python3").resolve().parent.parent] = None
    found[(prefix / "bin" / "python").resolve().parent.parent] = None
    return tuple(found)


def _layered(prefix: Path) -> tuple[Path, ...]:
    """The prefixes of the base's packages, else the directories where they lie."""
    try:
        text = _text(site_packages(prefix) / LAYER)
    except ValueError:
        # Not one directory of packages: an interpreter of the system.
        return ()
    places = [Path(match[2]) for match in _LAYERED.finditer(text)]
    return tuple(place.parents[2] if (place.parents[2] / "pyvenv.cfg").exists() else place for place in places)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
