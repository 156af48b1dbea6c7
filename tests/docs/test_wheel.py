"""The wheel: it builds, installs into an empty environment and runs there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from commandline import Recto
from recto.interpreters import Base

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = directory.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_what_it_reads(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("py.typed", "builder/base-requirements.txt", "__main__.py"):
        assert f"recto/{name}" in names
    assert not [name for name in names if name.startswith(("tests", "bench", "docs"))]


@pytest.mark.network
@pytest.mark.slow
def test_the_wheel_installs_into_an_empty_environment_and_runs(
    wheel: Path, uv: Path, uv_cache: Path, kernel_base: Base, tmp_path: Path, network_environment: Mapping[str, str]
) -> None:
    target = tmp_path / "empty"
    quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache))
    constraints = ("--constraint", str(ROOT / "constraints.txt"))
    subprocess.run([uv, "venv", *quiet, target], check=True, env=network_environment)
    target_python = ("--python", target / "bin" / "python")
    subprocess.run(
        [uv, "pip", "install", *quiet, *constraints, *target_python, wheel], check=True, env=network_environment
    )

    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text("humanize\n")
    (project / "paper.md").write_text("# Words\n")
    variables = {
        **network_environment,
        "HOME": str(tmp_path),
        "RECTO_DATA_DIR": str(tmp_path / "data"),
        "RECTO_BASE": str(kernel_base.python),
    }
    recto = Recto(variables, project, (str(target / "bin" / "recto"),))
    assert recto("version").out.startswith("recto 0.1.0\n")
    checked = recto("check", "--json")
    assert checked.code == 0, checked.err
    assert checked.json["plan"]["install"][0]["name"] == "humanize"
    rendered = recto("render", "paper.md", "--engine", "jupyter", "--to", "pdf")
    assert rendered.code == 0, rendered.err
    assert (project / "paper.pdf").read_bytes().startswith(b"%PDF-")
