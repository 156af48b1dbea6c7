"""`recto version`: what is at work."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version

from recto import __version__
from recto.cli.console import Console

TOOLS = ("uv", "pypandoc_binary", "typst")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the versions of Recto, its Python and the tools that come with it."""
    versions = {"recto": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in TOOLS}
    if arguments.json:
        console.json(dict(versions))
    else:
        for name, number in versions.items():
            console.data(f"{name} {number}")
    return 0
