"""Tools that fail, run for real: what they say on both streams."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from recto.problems import Problem
from recto.problems.diagnosis import diagnose


def said(*argv: object, cwd: Path, **variables: str) -> str:
    """What a command writes until it ends, with the PATH of this machine, these variables and no settings of its user.

    Whether it ended well is not asked: pip ends with 0 where it leaves packages that clash.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "LC_ALL": "C.UTF-8",
        **variables,
    }
    done = subprocess.run(
        list(map(str, argv)), cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode()


def first(text: str) -> tuple[str, str | None]:
    """Code and package of the most likely cause."""
    found: Problem = diagnose(text)[0]
    return found.code, found.package


@dataclass(frozen=True)
class Installer:
    """pip or uv, which installs into a directory of `cwd` for the interpreter of a throw-away environment."""

    name: str
    uv: Path
    python: Path
    cwd: Path

    def install(self, *words: object, target: str = "target", **variables: str) -> str:
        """What it says where it is asked to install this."""
        return said(*self._command(), "--target", target, *words, cwd=self.cwd, **variables)

    def _command(self) -> tuple[object, ...]:
        if self.name == "pip":
            return (self.python, "-m", "pip", "install")
        return (self.uv, "pip", "install", "--python", self.python, "--cache-dir", self.cwd / "uv-cache")


SETUPTOOLS = 'requires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"'
OWN_BACKEND = 'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]'


def source(directory: Path, name: str, files: dict[str, str], build_system: str = SETUPTOOLS) -> Path:
    """A source tree of version 1.0 with these files; its directory has the package's name."""
    tree = directory / name
    shutil.rmtree(tree, ignore_errors=True)
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    (tree / "pyproject.toml").write_text(
        f'[build-system]\n{build_system}\n\n[project]\nname = "{name}"\nversion = "1.0"\n'
    )
    return tree
