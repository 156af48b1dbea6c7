"""The rows: each measures Recto and its peers on the same work in the same run."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from bench.house import House
from bench.timing import Sample, process, repeat
from recto.policy import Grant
from recto.store import Lease


@dataclass(frozen=True)
class Row:
    """One figure: ours, and each peer's with the ratio that we hold ourselves to, if there is one."""

    name: str
    what: str
    ours: Sample
    peers: dict[str, Sample]
    bar: str


def hit(house: House) -> Row:
    """A ready environment by library call, with many others in the store."""
    others = _crowd(house, 10_000)
    environments, declaration, grant = house.app.environments, house.declaration, Grant.own()
    path = environments.ensure(declaration, grant)
    path.close()

    def floor() -> None:
        descriptor = os.open(path.prefix, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.fstat(descriptor)
        path.prefix.stat()
        os.close(descriptor)

    ours = repeat(500, lambda: environments.ensure(declaration, grant).close())
    peer = repeat(500, floor)
    for directory in others:
        directory.rmdir()
    return Row("hit", "a ready environment, library call, 10,000 others", ours, {"flock and stat": peer}, "< 0.5 ms")


def _crowd(house: House, count: int) -> list[Path]:
    parent = house.root / "data" / "v1" / "envs"
    made = [parent / f"{number:032x}" for number in range(count)]
    for directory in made:
        directory.mkdir(exist_ok=True)
    return made


def run(house: House) -> Row:
    """`recto run -- true` against `uv run --with-requirements`, both ready."""
    requirements = house.project / "requirements.txt"
    peer = [house.app.uv, "run", "--quiet", "--no-project", "--python", sys.executable]
    peer += ["--with-requirements", requirements, "--", "true"]
    process(peer, house.variables)
    ours = repeat(11, lambda: process([house.recto, "run", "--project", house.project, "--", "true"], house.variables))
    theirs = repeat(11, lambda: process(peer, house.variables))
    offline = repeat(11, lambda: process([*peer[:2], "--offline", *peer[2:]], house.variables))
    peers = {"uv run": theirs, "uv run --offline": offline}
    return Row("run", "`recto run -- true`, ready, whole processes", ours, peers, "not slower")


def new(house: House) -> Row:
    """A new environment whose wheels were seen before, with a fresh resolution."""
    scratch = house.root / "peers"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    pip = _pip(house, scratch)
    pip()
    ours = repeat(3, _build(house), lambda: house.forget("specs", "resolutions", "lineages"))
    peers = {
        "venv and pip": repeat(2, pip),
        "uv --compile-bytecode of the lock": repeat(3, _uv(house, scratch)),
        "cp -al of the tree": repeat(3, _copy(house, scratch), lambda: _gone(scratch / "copy")),
    }
    return Row("new", "new environment, wheels seen, resolved anew", ours, peers, "≥ 40×, ≥ 10×, ≤ 1.5× of cp")


def again(house: House) -> Row:
    """The same from a lock that is kept."""
    scratch = house.root / "peers"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    ours = repeat(3, _build(house), house.forget)
    peers = {
        "uv --compile-bytecode of the lock": repeat(3, _uv(house, scratch)),
        "cp -al of the tree": repeat(3, _copy(house, scratch), lambda: _gone(scratch / "copy")),
    }
    return Row("again", "the same from its kept lock", ours, peers, "≥ 10×, ≤ 1.5× of cp")


def _build(house: House) -> Callable[[], None]:
    return lambda: process([house.recto, "env", "build", house.project], house.variables)


def _pip(house: House, scratch: Path) -> Callable[[], None]:
    """`python -m venv` and `pip install -r` over the same base, the wheels in pip's own cache."""
    base = house.app.base()
    variables = {**house.variables, "PIP_CACHE_DIR": str(house.root / "pip-cache"), "PIP_NO_INPUT": "1"}

    def act() -> None:
        target = scratch / "pip"
        shutil.rmtree(target, ignore_errors=True)
        process([base.python, "-m", "venv", target], variables)
        (site,) = target.glob("lib/python*/site-packages")
        (site / "base.pth").write_text("".join(f"{path}\n" for path in base.site_packages))
        process([target / "bin" / "pip", "install", "-r", house.project / "requirements.txt"], variables)

    return act


def _uv(house: House, scratch: Path) -> Callable[[], None]:
    """uv on our own lock, compiling, with our own wheels."""
    with house.app.environments.ensure(house.declaration, Grant.own()) as environment:
        manifest = json.loads((environment.prefix / "recto.json").read_bytes())
        lock = tomllib.loads((environment.prefix / "pylock.toml").read_text())
    delta = {item["name"] for item in manifest["plan"]["install"]}
    lock["packages"] = [package for package in lock["packages"] if package["name"] in delta]
    (scratch / "pylock.toml").write_text(tomli_w.dumps(lock))
    variables = {**house.variables, "UV_CACHE_DIR": str(house.app.store.cache / "uv")}

    def act() -> None:
        target = scratch / "uv"
        _gone(target)
        process([house.app.uv, "venv", "--no-config", "--python", house.app.base().python, target], variables)
        install = [
            house.app.uv,
            "pip",
            "install",
            "--no-config",
            "--compile-bytecode",
            "--python",
            target / "bin/python",
        ]
        process([*install, "-r", scratch / "pylock.toml"], variables)

    return act


def _copy(house: House, scratch: Path) -> Callable[[], None]:
    lease = next(house.app.store.lease(entry.key) for entry in house.app.store.environments())
    if not isinstance(lease, Lease):
        raise RuntimeError("the environment went away")
    with lease:
        source = lease.path
    return lambda: process(["cp", "-al", source, scratch / "copy"], house.variables)


def _gone(path: Path) -> None:
    subprocess.run(["chmod", "-R", "u+w", path], capture_output=True, check=False)
    shutil.rmtree(path, ignore_errors=True)


ROWS: dict[str, Callable[[House], Row]] = {"hit": hit, "run": run, "new": new, "again": again}
