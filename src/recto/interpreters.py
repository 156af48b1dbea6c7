"""Who an interpreter is: asked once, remembered until its files change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recto.keys import BaseIdentity


@dataclass(frozen=True, slots=True)
class Base:
    """An interpreter whose packages every environment sees.

    `python` is its executable, `prefix` its `sys.prefix`, `site_packages` the directories where its packages lie.
    `markers` is a complete PEP 508 environment and `tags` its wheel tags, best first: never those of our own process.
    """

    python: Path
    prefix: Path
    identity: BaseIdentity
    is_venv: bool
    site_packages: tuple[Path, ...]
    markers: Mapping[str, str]
    tags: tuple[str, ...]
