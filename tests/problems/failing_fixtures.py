"""An environment with pip and build tools, the two installers, and an environment with nothing in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from failing import Installer

from conftest import made_once


@pytest.fixture(scope="session")
def tools_python(shared: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]) -> Path:
    """The interpreter of an environment with pip, setuptools and setuptools-rust."""

    def make(directory: Path) -> None:
        quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache))
        subprocess.run([uv, "venv", *quiet, "--python", sys.executable, directory], check=True, env=network_environment)
        install = (uv, "pip", "install", *quiet, "--python", directory / "bin" / "python")
        subprocess.run([*install, "pip", "setuptools", "setuptools-rust"], check=True, env=network_environment)

    return made_once(shared / "tools", make) / "bin" / "python"


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest, uv: Path, tools_python: Path, tmp_path: Path) -> Installer:
    return Installer(request.param, uv, tools_python, tmp_path)


@pytest.fixture
def bare_python(tmp_path: Path, uv: Path) -> Path:
    """The interpreter of an environment without any package, pip included."""
    subprocess.run([uv, "venv", "--quiet", "--no-config", "--python", sys.executable, tmp_path / "bare"], check=True)
    return tmp_path / "bare" / "bin" / "python"


@pytest.fixture
def empty(tmp_path: Path) -> str:
    """A PATH on which there is nothing."""
    (tmp_path / "empty").mkdir()
    return str(tmp_path / "empty")
