"""Which machine and which versions a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil


def described(uv: Path) -> dict[str, str]:
    """Facts that a figure means nothing without."""
    said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return {
        "recto": version("recto"),
        "python": platform.python_version(),
        "uv": said[1],
        "pip": version("pip"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "load at start": f"{os.getloadavg()[0]:.1f}",
    }
