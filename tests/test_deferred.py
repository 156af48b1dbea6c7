"""Names that are imported when they are first used are the ones that were meant, in whatever order things are used."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

PACKAGES = ("recto", "recto.interpreters", "recto.render", "recto.store")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_deferred_name_is_that_of_a_module(package: str) -> None:
    # Importing a module sets its name in its package, and whoever asks for the name would be given the module.
    module = importlib.import_module(package)
    modules = {found.name for found in pkgutil.iter_modules(module.__path__)}
    assert modules.isdisjoint(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_after_all_modules_were_imported(package: str) -> None:
    code = (
        "import importlib, pkgutil, sys, types\n"
        "package = importlib.import_module(sys.argv[1])\n"
        "for found in pkgutil.iter_modules(package.__path__):\n"
        "    if found.name not in ('__main__', 'question'):\n"
        "        importlib.import_module(f'{package.__name__}.{found.name}')\n"
        "names = [getattr(package, name) for name in package.__all__]\n"
        "sys.exit(any(isinstance(value, types.ModuleType) for value in names))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, package]).returncode == 0


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    module = importlib.import_module("recto.store")
    with pytest.raises(AttributeError, match=r"recto\.store.*nothing"):
        _ = module.nothing
