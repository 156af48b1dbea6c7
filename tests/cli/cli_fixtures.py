"""The real command line, with a data directory of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from commandline import Recto
from recto.interpreters import Base


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def bare(tmp_path: Path, data: Path, project: Path, network_environment: Mapping[str, str]) -> Recto:
    """Without a base."""
    variables = {
        **network_environment,
        "HOME": str(tmp_path / "home"),
        "RECTO_DATA_DIR": str(data),
    }
    return Recto(variables, project)


@pytest.fixture
def recto(bare: Recto, kernel_base: Base) -> Recto:
    """Over a base that has what runs cells and nothing else."""
    return Recto({**bare.variables, "RECTO_BASE": str(kernel_base.python)}, bare.cwd)


@pytest.fixture
def known(data: Path, known_base: Path) -> None:
    """Nothing of the kernel base is learnt anew in `data`; for tests that are not about a first use."""
    shutil.copytree(known_base, data / "v1" / "cache")


@pytest.fixture
def bare_venv(tmp_path: Path, uv: Path, network_environment: Mapping[str, str]) -> Path:
    """The interpreter of a virtual environment that has no packages."""
    directory = tmp_path / "bare-venv"
    subprocess.run([uv, "venv", "--quiet", "--no-config", directory], check=True, env=network_environment)
    return directory / "bin" / "python"
