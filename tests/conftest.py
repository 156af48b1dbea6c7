"""What tests of several rooms share: the installer, and bases built once for all processes of a test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from uv import find_uv_bin

from recto.builder.curated import BaseBuilder
from recto.builder.workbench import Workbench
from recto.interpreters import Base, probe
from recto.sandbox.none import NoSandbox

RENDER_STACK = ("ipykernel", "jupyter-client", "jupyter-core", "nbclient", "nbformat", "PyYAML")

# Where distributions keep the certificates of the machine; an installer with an empty environment does not look there.
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="session")
def uv() -> Path:
    """The uv executable."""
    return Path(find_uv_bin())


@pytest.fixture(scope="session")
def network_environment() -> Mapping[str, str]:
    """What an installer sees: a PATH and the way to the index."""
    certificates = {"SSL_CERT_FILE": str(_CERTIFICATES)} if _CERTIFICATES.exists() else {}
    return {"PATH": os.defpath, **certificates}


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory for all processes of this test run."""
    base = tmp_path_factory.getbasetemp()
    # Under pytest-xdist each process has a directory of its own inside the one of the run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    (root / "shared").mkdir(exist_ok=True)
    return root / "shared"


@pytest.fixture(scope="session")
def uv_cache(shared: Path) -> Path:
    """uv's cache for this test run, on the volume of the bases."""
    return shared / "uv-cache"


@pytest.fixture(scope="session")
def workbench(shared: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]) -> Workbench:
    """The tools of builders; what they keep is shared by this test run."""
    return Workbench(
        uv, uv_cache, shared / "bytecode", shared / "starts", shared / "fonts", NoSandbox(), network_environment
    )


def made_once(directory: Path, make: Callable[[Path], object]) -> Path:
    """`directory`, made by the first process that asks; the others wait for it."""
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.with_suffix(".made").exists():
            make(directory)
            directory.with_suffix(".made").touch()
    return directory


def keep_for_run(workbench: Workbench, data: Path) -> None:
    """Makes a data directory whose wheels and compiled files are those of this test run, for building bases alone.

    Nothing that prunes may run on it: what it does not use is in use elsewhere.
    """
    (data / "v1" / "cache").mkdir(parents=True)
    for kept, place in ((workbench.cache, "cache/uv"), (workbench.bytecode, "bytecode")):
        kept.mkdir(exist_ok=True)
        (data / "v1" / place).symlink_to(kept)


@pytest.fixture(scope="session")
def kernel_base(shared: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]) -> Base:
    """A virtual environment with the packages that run cells and nothing else."""

    def make(directory: Path) -> None:
        quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache))
        subprocess.run([uv, "venv", *quiet, "--python", sys.executable, directory], check=True, env=network_environment)
        target = ("--python", directory / "bin" / "python")
        install = ("pip", "install", "--compile-bytecode", *quiet, *target)
        subprocess.run([uv, *install, *RENDER_STACK], check=True, env=network_environment)

    return probe(made_once(shared / "kernel-base", make) / "bin" / "python")


@pytest.fixture(scope="session")
def known_base(shared: Path, kernel_base: Base, network_environment: Mapping[str, str]) -> Path:
    """What the cache of a data directory holds of the kernel base after a build over it: who it is and how it starts.

    Nothing of an index and no wheel: what a build looks up and downloads is as on a first use.
    """

    def make(directory: Path) -> None:
        project, data = directory.with_name("known-base-project"), directory.with_name("known-base-data")
        project.mkdir()
        (project / "requirements.txt").write_text("humanize==4.9.0\n")
        own = {"RECTO_DATA_DIR": str(data), "RECTO_BASE": str(kernel_base.python), "HOME": str(project)}
        build = (sys.executable, "-m", "recto", "env", "build", str(project))
        subprocess.run(build, check=True, env={**network_environment, **own}, stderr=subprocess.DEVNULL)
        for name in ("interpreters", "starts", "base-metadata"):
            shutil.copytree(data / "v1" / "cache" / name, directory / name)

    return made_once(shared / "known-base", make)


@pytest.fixture(scope="session")
def curated_base(shared: Path, workbench: Workbench) -> Base:
    """The base that `recto base build` makes: the curated stack, compiled and proven. Half a minute on first use."""
    return probe(BaseBuilder(workbench).build(Path(sys.executable), shared / "curated-base"))
