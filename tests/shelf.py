"""Environments on the shelf of a real store, with the files that an installer leaves and nothing in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from recto.keys import EnvironmentKey
from recto.store import Store

Files = Mapping[str, tuple[str, ...]]


def key(number: int) -> EnvironmentKey:
    return EnvironmentKey(f"{number:08x}".ljust(32, "0"))


def install(site: Path, distribution: str, *files: str) -> None:
    """What an installer leaves of a distribution `name-version`."""
    info = site / f"{distribution}.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text("".join(f"{file},sha256=x,1\n" for file in files))
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).touch()


def publish(store: Store, number: int, packages: Files) -> Path:
    """An environment of these distributions (`name-version` to files), in use at no time since."""
    with store.stage(key(number)) as staging:
        (staging.directory / "bin").mkdir(parents=True)
        site = staging.directory / "lib" / "python3.11" / "site-packages"
        for distribution, files in packages.items():
            install(site, distribution, *files)
        modules = {
            name.partition("-")[0].replace("_", "-"): sorted({file.split("/")[0].removesuffix(".py") for file in files})
            for name, files in packages.items()
        }
        with staging.publish({"modules": modules}) as lease:
            return lease.path
