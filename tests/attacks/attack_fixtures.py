"""A base that the plain users of every mechanism can reach."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from stage import Tools

from conftest import RENDER_STACK
from containing import IS_ROOT, PYTHON
from recto.builder.workbench import Workbench
from recto.interpreters import Base


@pytest.fixture(scope="session")
def tools(
    kernel_base: Base, uv: Path, uv_cache: Path, workbench: Workbench, network_environment: Mapping[str, str]
) -> Iterator[Tools]:
    """The base of the test run where that is within reach, else one of the same packages that is."""
    if not IS_ROOT:
        yield Tools(kernel_base.python, uv, workbench, network_environment)
        return
    with tempfile.TemporaryDirectory(prefix="recto-attacked-base-") as name:
        base = Path(name)
        base.chmod(0o755)
        quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache), "--python")
        subprocess.run([uv, "venv", *quiet, PYTHON, base / "base"], check=True, env=network_environment)
        python = base / "base" / "bin" / "python"
        install = (uv, "pip", "install", "--compile-bytecode", *quiet, python, *RENDER_STACK)
        subprocess.run(install, check=True, env=network_environment)
        yield Tools(python, uv, workbench, network_environment)
