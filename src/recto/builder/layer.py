"""An empty environment whose imports fall through to the base.

Every base is layered with a `.pth` file, whether it is a virtual environment or not. `--system-site-packages` would do
for a system interpreter, but it also lets in the user's own site directory, which is not part of the base's identity
and would come before the base's packages.
"""

from __future__ import annotations

from pathlib import Path

from recto.interpreters import Base
from recto.interpreters.roots import LAYER, layer


def site_packages(directory: Path) -> Path:
    """The directory of an environment where its own packages lie."""
    (found,) = (path for path in directory.glob("lib/*/site-packages") if not path.parent.parent.is_symlink())
    return found


def write_layer(base: Base, directory: Path) -> None:
    """Makes the packages of the base visible after the environment's own.

    `site.addsitedir` also runs the base's `.pth` files, as the base itself does at its start (site module, PEP 370).
    """
    (site_packages(directory) / LAYER).write_text(layer(base.site_packages), encoding="utf-8")
