"""A stand-in for Quarto, an environment that it can run cells in, and an empty one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from quarto_jobs import WriteKernel

from launcher import launcher_in
from recto.interpreters import Base


@pytest.fixture
def write_kernel() -> WriteKernel:
    """Writes kernelspecs whose `argv[0]` is what a test wants it to be."""

    def write(prefix: Path, name: str, python: str, **more: object) -> None:
        folder = prefix / "share" / "jupyter" / "kernels" / name
        folder.mkdir(parents=True, exist_ok=True)
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": name, "language": "python", **more}
        (folder / "kernel.json").write_text(json.dumps(spec))

    return write


@pytest.fixture(scope="session")
def kernel_prefix(kernel_base: Base) -> Path:
    """An environment with the render stack, ready to run cells."""
    return kernel_base.prefix


@pytest.fixture
def layered_prefix(bare_prefix: Path, kernel_prefix: Path, write_kernel: WriteKernel) -> Path:
    """An environment that reaches the render stack through a `.pth` file and has a kernel of its own."""
    (site,) = kernel_prefix.glob("lib/python*/site-packages")
    (layer,) = bare_prefix.glob("lib/python*/site-packages")
    (layer / "layer.pth").write_text(f"{site}\n")
    write_kernel(bare_prefix, "python3", "python")
    return bare_prefix


@pytest.fixture
def bare_prefix(tmp_path: Path, uv: Path) -> Path:
    """An environment without any package."""
    prefix = tmp_path / "bare"
    subprocess.run([uv, "venv", "--quiet", "--no-config", "--python", sys.executable, str(prefix)], check=True)
    return prefix


@pytest.fixture
def quarto(tmp_path: Path) -> Path:
    """The stand-in's launcher: a shell script that does not exec, in the `bin` of its own tree, as Quarto's."""
    return launcher_in(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project directory."""
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def real_quarto() -> Path:
    """The Quarto of this machine; without one the test is skipped."""
    found = shutil.which("quarto")
    if found is None:
        pytest.skip("there is no `quarto` on the PATH, so the real one is not tried")
    return Path(found)
