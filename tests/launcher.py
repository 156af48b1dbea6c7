"""The stand-in for Quarto where a command looks for one."""

from __future__ import annotations

import sys
from pathlib import Path

STANDIN = Path(__file__).parent / "standin" / "quarto_standin.py"


def launcher_in(directory: Path) -> Path:
    """A shell script that does not exec, in the `bin` of a tree of its own, as Quarto's."""
    launcher = directory / "quarto" / "bin" / "quarto"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(f'#!/bin/bash\n"{sys.executable}" "{STANDIN}" "$@"\nexit $?\n')
    launcher.chmod(0o755)
    return launcher
