"""Unpacked wheels go when no environment links to them, never under a uv that runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from recto.builder.wheels import sweep_wheels
from wheels import make_wheel

Install = Callable[[], Path]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def install(tmp_path: Path, cache: Path, uv: Path, network_environment: Mapping[str, str]) -> Install:
    """Installs a wheel of ours into a fresh environment, through the cache."""
    wheel = make_wheel(tmp_path / "wheels", "swept", "1.0", {"swept/__init__.py": "here = True\n" * 500})

    def act() -> Path:
        target = tmp_path / "environment"
        quiet = ("--quiet", "--no-config", "--offline", "--cache-dir", str(cache))
        subprocess.run([uv, "venv", *quiet, "--clear", target], check=True, env=network_environment)
        arguments = (*quiet, "--link-mode", "hardlink", "--python", target / "bin" / "python")
        subprocess.run([uv, "pip", "install", *arguments, wheel], check=True, env=network_environment)
        return target

    return act


def archives(cache: Path) -> list[Path]:
    return [path for path in cache.glob("archive-v*/*") if list(path.rglob("swept/__init__.py"))]


def test_a_wheel_in_use_stays(install: Install, cache: Path) -> None:
    install()
    sweep_wheels(cache)
    assert len(archives(cache)) == 1


def test_a_wheel_that_nothing_links_to_goes_and_its_bytes_are_counted(install: Install, cache: Path) -> None:
    shutil.rmtree(install())
    assert len(archives(cache)) == 1
    assert sweep_wheels(cache) >= 6000
    assert archives(cache) == []
    assert sweep_wheels(cache) == 0


@pytest.mark.network
def test_the_installer_fetches_a_wheel_again_that_was_swept(
    tmp_path: Path, cache: Path, uv: Path, network_environment: Mapping[str, str]
) -> None:
    target = tmp_path / "environment"
    quiet = ("--quiet", "--no-config", "--cache-dir", str(cache))
    for _ in range(2):
        subprocess.run([uv, "venv", *quiet, "--clear", target], check=True, env=network_environment)
        arguments = (*quiet, "--link-mode", "hardlink", "--python", target / "bin" / "python")
        subprocess.run([uv, "pip", "install", *arguments, "humanize==4.9.0"], check=True, env=network_environment)
        (module,) = target.rglob("humanize/__init__.py")
        assert module.stat().st_nlink == 2
        shutil.rmtree(target)
        assert sweep_wheels(cache) > 0


def test_nothing_goes_while_an_installer_runs(install: Install, cache: Path) -> None:
    shutil.rmtree(install())
    running = os.open(cache / ".lock", os.O_RDWR)
    fcntl.flock(running, fcntl.LOCK_SH)
    assert sweep_wheels(cache) == 0
    assert len(archives(cache)) == 1
    os.close(running)
    assert sweep_wheels(cache) > 0


def test_a_cache_that_was_never_used_is_no_trouble(cache: Path) -> None:
    assert sweep_wheels(cache) == 0


def test_what_a_killed_installer_had_begun_to_unpack_goes(install: Install, cache: Path) -> None:
    install()
    begun = cache / ".tmpAbCdEf" / "half"
    begun.mkdir(parents=True)
    (begun / "data").write_bytes(b"x" * 10_000)
    assert sweep_wheels(cache) >= 10_000
    assert not begun.parent.exists()
    assert len(archives(cache)) == 1
