"""Proof of the interpreter that ran the cells.

Quarto probes the interpreter that it is given and, when the probe fails, takes another from the PATH without a word;
a kernelspec may name yet another by an absolute path. What was asked for is therefore no evidence of what ran. The
kernel itself tells: the private IPython profile that it starts with holds a configuration file, which IPython runs in
the kernel process before any cell (and outside the cells' namespace), and which writes down `sys.prefix`. Where that is
not the right one it ends the kernel, so that no cell runs in a wrong interpreter.

This finds accidents. It is no boundary against the document's author: a cell can write to the same file later.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from msgspec import Struct

from recto.sandbox.beneath import Beneath
from recto.sandbox.told import told_path

FILE_VARIABLE = "RECTO_EVIDENCE"
PREFIX_VARIABLE = "RECTO_PREFIX"
# Two paths.
_BYTES_MAX = 100_000

# The first kernel of a render is the document's; a kernel that a cell starts finds the file taken and is left alone.
_HOOK = f"""\
def tell():
    import json, os, sys
    try:
        file = open(os.environ["{FILE_VARIABLE}"], "x", encoding="utf-8")
    except FileExistsError:
        return
    with file:
        json.dump({{"prefix": sys.prefix, "executable": sys.executable}}, file)
    if os.path.realpath(sys.prefix) != os.path.realpath(os.environ["{PREFIX_VARIABLE}"]):
        print("Recto: this kernel runs under " + sys.prefix + ", which is not the project's environment.",
              file=sys.stderr, flush=True)
        os._exit(70)

tell()
"""


class Evidence(Struct, frozen=True):
    """What the first kernel of a render said of itself."""

    prefix: Path
    executable: Path

    def shows(self, prefix: Path) -> bool:
        """Whether the kernel ran in the environment at `prefix`, which may be reached through symbolic links."""
        return os.path.realpath(self.prefix) == os.path.realpath(prefix)


def plant(ipython: Path) -> None:
    """Writes the hook into the IPython directory, where every kernel that starts with it runs it."""
    profile = ipython / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text(_HOOK, encoding="utf-8")


def read(file: Path) -> Evidence | None:
    """What was written, or None where no kernel told anything that can be read."""
    try:
        with Beneath(file.parent, private=True) as home:
            told = json.loads(home.read(file.name, _BYTES_MAX))
        return Evidence(told_path(told["prefix"]), told_path(told["executable"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
