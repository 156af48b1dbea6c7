"""Bytecode, compiled by the base.

Never by the environment's own interpreter: a `.pth` file of a package runs at every start of that, with the rights of
the installer. Compiled files are of the unchecked kind (PEP 552), so that neither times nor hashes are compared.
"""

from __future__ import annotations

from pathlib import Path

from recto.builder.commands import Commands
from recto.builder.layer import site_packages

# More brings little: the slowest files are a handful (uv-compiled sets: 2,227 files in 8-14 s with two).
_PROCESSES = 2


def compile_packages(commands: Commands, directory: Path) -> None:
    """Compiles what is installed in the environment; files that are no valid Python stay as they are.

    Packages ship templates and test data that do not compile, so the status of the command says nothing.
    """
    python = str(commands.base.python)
    mode = ("-q", "-j", str(_PROCESSES), "--invalidation-mode", "unchecked-hash")
    commands.run(
        (python, "-I", "-m", "compileall", *mode, str(site_packages(directory))),
        {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        writable=(directory,),
    )
