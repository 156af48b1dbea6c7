"""Builders of real environments, and a lock of the index."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from building import Workshop
from recto.builder.workbench import Workbench
from recto.interpreters import Base
from wheels import make_wheel


@pytest.fixture
def workshop(tmp_path: Path, workbench: Workbench) -> Workshop:
    (tmp_path / "staging").mkdir()
    return Workshop(workbench, tmp_path / "staging")


@pytest.fixture(scope="session")
def networkx_lock(
    kernel_base: Base,
    uv: Path,
    uv_cache: Path,
    network_environment: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pylock:
    """A lock of three packages of the index."""
    path = tmp_path_factory.mktemp("lock") / "pylock.toml"
    subprocess.run(
        [
            *(uv, "pip", "compile", "--quiet", "--no-config", "-", "--format", "pylock.toml", "--output-file", path),
            *("--python", kernel_base.python, "--cache-dir", uv_cache, "--no-build"),
        ],
        input="networkx\nhumanize\ntabulate\n",
        text=True,
        check=True,
        env=network_environment,
    )
    return Pylock.from_dict(tomllib.loads(path.read_text()))


@pytest.fixture
def spam(tmp_path: Path) -> Path:
    """A wheel with one package and one module."""
    return make_wheel(tmp_path / "wheels", "spam", "1.0", {"spam/__init__.py": "EGGS = 3\n", "spam_tools.py": ""})
