"""The kernel that Jupyter and Quarto find in an environment, before any other on the machine."""

from __future__ import annotations

import json
from pathlib import Path

NAME = "python3"

# A bare `python` is replaced by whatever interpreter starts the kernel, which is the environment's own; a path would
# break when the environment is renamed (jupyter_client.manager, format_kernel_cmd).
_SPEC = {
    "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3",
    "language": "python",
    "metadata": {"debugger": True},
}


def write_kernelspec(directory: Path) -> Path:
    """The written `kernel.json`, in the environment's own data directory."""
    path = directory / "share" / "jupyter" / "kernels" / NAME / "kernel.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Where ipykernel is installed, its file is a hard link into the installer's cache: never write through it.
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(_SPEC, indent=1) + "\n", encoding="utf-8")
    return path
