"""The curated stack as a real base, as the index had it on one day, and a virtual environment with pip over it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from uv import find_uv_bin

import recto.builder
from recto.interpreters import Base

# The base is older than the index, so that keeping its versions can be told from taking the newest.
DAY = "2026-06-01T00:00:00Z"

STACK = Path(next(iter(recto.builder.__path__)), "base-requirements.txt")


def make_curated_base(prefix: Path) -> None:
    """Makes the base in `prefix`."""
    _uv("venv", "--quiet", "--no-project", "--no-config", str(prefix))
    _install(prefix, "--exclude-newer", DAY, "--requirement", str(STACK))


def layer_with_pip(prefix: Path, base: Base) -> Path:
    """The python of a virtual environment in `prefix` that has pip and sees what the base has."""
    _uv("venv", "--quiet", "--no-project", "--no-config", str(prefix))
    _install(prefix, "pip>=26")
    site = next(prefix.glob("lib/python3.*/site-packages"))
    lines = (f"import site; site.addsitedir({str(path)!r})\n" for path in base.site_packages)
    (site / "base.pth").write_text("".join(lines))
    return prefix / "bin" / "python"


def _install(prefix: Path, *arguments: str) -> None:
    _uv("pip", "install", "--quiet", "--no-config", "--python", str(prefix / "bin" / "python"), *arguments)


def _uv(*arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV"))}
    subprocess.run([find_uv_bin(), *arguments], check=True, env=environment)
