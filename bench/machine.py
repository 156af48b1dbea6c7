"""Which machine and which versions a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil


def described(uv: Path, python: Path, root: Path) -> dict[str, str]:
    """Facts that a figure means nothing without; `python` is the base's, whose pip is a peer."""
    said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.split()
    words = [str(python), "-c", "import platform, ensurepip; print(platform.python_version(), ensurepip.version())"]
    base, pip = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return {
        "Recto": f"{version('recto')}{_commit()}",
        "CPython": base,
        "uv": said[1],
        "pip": pip,
        "system": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "file system": _file_system(root),
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    said = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    return f" ({said.stdout.strip()})" if said.returncode == 0 else ""


def _file_system(path: Path) -> str:
    mounted = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    return max(mounted, key=lambda part: len(part.mountpoint)).fstype
