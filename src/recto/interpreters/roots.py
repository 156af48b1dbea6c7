"""What an interpreter reads apart from the system's own places: where a sandbox has to show it.

Nothing heavy is imported here: a render asks before it has imported what reads policy, declaration and document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

# The file in an environment's directory of packages that leads on to its base. It sorts after the `.pth` files of
# packages: theirs come first, as if the base's directories were further down the path.
LAYER = "zz_recto_base.pth"

_HOME = re.compile(r"^home\s*=\s*(.+?)\s*$", re.MULTILINE)
_LAYERED = re.compile(r"^import site; site\.addsitedir\((['\"])(.+)\1\)$", re.MULTILINE)


def layer(site_packages: Iterable[Path]) -> str:
    """The content of the file that leads on to these directories."""
    return "".join(f"import site; site.addsitedir({str(path)!r})\n" for path in site_packages)


def roots_of(prefix: Path) -> tuple[Path, ...]:
    """The directories that the interpreter with this `sys.prefix` reads: an environment, its base, the one below.

    Read from `pyvenv.cfg` (PEP 405) and the layer, without starting anything.
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
    text = "".join(_text(path) for path in prefix.glob(f"lib/*/site-packages/{LAYER}"))
    places = [Path(match[2]) for match in _LAYERED.finditer(text)]
    return tuple(place.parents[2] if (place.parents[2] / "pyvenv.cfg").exists() else place for place in places)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
