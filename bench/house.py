"""The house that rows are measured in: a data directory with a curated base, and a project that needs more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tomli_w

from bench.bytecode import BYTECODE_SECONDS_MAX, seconds_until_finished
from bench.timing import process
from recto.app import App
from recto.declaration import Declaration, declare
from recto.policy import Grant
from recto.render.project import Project
from recto.resolver.index_pages import default_index
from recto.sandbox.none import NoSandbox
from recto.settings import load
from recto.store import Entry

# The set that the design's figures are about: what documents of statistics classes ask for beyond the base.
PACKAGES = ("polars", "duckdb", "statsmodels", "networkx", "great-tables", "altair")

# What of a store is kept when everything that it remembers of questions and answers is forgotten: the base, and what
# other projects' environments would have brought: wheels and bytecode.
_KEPT = ("base", "cache", "bytecode")

# A setting of a peer that a shell happens to have would make it another peer.
_FOREIGN = ("RECTO_", "UV_", "VIRTUAL_ENV", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PYTHON")


class CountingApp(App):
    """The application, counting its builds: each passes `staged` once, with everything built and nothing published."""

    builds = 0

    @property
    def failpoint(self) -> Callable[[str], None]:
        def at(step: str) -> None:
            self.builds += step == "staged"

        return at


@dataclass(frozen=True, slots=True)
class Household:
    """One data directory over a base that stands elsewhere, and what its processes see."""

    data: Path
    variables: Mapping[str, str]

    def app(self) -> CountingApp:
        """The library on this data directory, as a new process would make it."""
        return CountingApp(load(dict(self.variables)))

    def environments(self) -> list[Entry]:
        return list(self.app().store.environments())

    def forget(self) -> None:
        """Removes every environment and everything remembered of what was asked and answered."""
        self.evict()
        for path in (self.data / "v1").iterdir():
            if path.name not in _KEPT:
                gone(path)

    def evict(self) -> None:
        """Removes every environment once nothing works on it any more; what was answered stays."""
        app = self.app()
        app.finishing.run(BYTECODE_SECONDS_MAX)
        store = app.store
        for entry in list(store.environments()):
            store.remove(entry.key)


@dataclass(frozen=True)
class House:
    """Everything below `root`; what is there is used again. `repeat` and `count` override what rows choose."""

    root: Path
    repeat: int | None = None
    count: int | None = None

    def times(self, usual: int) -> int:
        """How many repetitions a row makes that usually makes `usual`."""
        return usual if self.repeat is None else min(usual, self.repeat)

    @cached_property
    def variables(self) -> dict[str, str]:
        """What every measured process sees."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return {**kept, "RECTO_DATA_DIR": str(self.root / "data"), "UV_CACHE_DIR": str(self.root / "uv-cache")}

    @cached_property
    def own(self) -> Household:
        """The household that has the base."""
        return Household(self.root / "data", self.variables)

    @cached_property
    def app(self) -> App:
        return App(load(self.variables))

    def household(self, name: str, seeded: bool = False, **settings: str) -> Household:
        """Another data directory with the same base; `seeded` with our wheels and bytecode, as links."""
        data = self.root / name
        if seeded and not data.exists():
            (data / "v1").mkdir(parents=True)
            for bucket in ("cache", "bytecode"):
                process(["cp", "-al", self.root / "data" / "v1" / bucket, data / "v1"], self.variables)
        own = {"RECTO_DATA_DIR": str(data), "RECTO_BASE": str(self.app.base_python)}
        return Household(data, {**self.variables, **own, **settings})

    @property
    def recto(self) -> Path:
        return Path(sys.executable).with_name("recto")

    @cached_property
    def index_url(self) -> str:
        """The index that uv asks by itself."""
        app = self.app
        found = app.settings.index_url or default_index(app.uv, app.base(), app.wheels, NoSandbox())
        if found is None:
            raise RuntimeError("uv does not tell its index")
        return found

    @cached_property
    def project(self) -> Path:
        """A project that declares PACKAGES."""
        return self.project_of("project", PACKAGES)

    def project_of(self, name: str, packages: tuple[str, ...]) -> Path:
        """A project that declares these packages."""
        path = self.root / "projects" / name
        path.mkdir(parents=True, exist_ok=True)
        (path / "requirements.txt").write_text("".join(f"{package}\n" for package in packages))
        return path

    def prepare(self) -> None:
        """Makes the base, and fetches and compiles every wheel of the project once."""
        process([self.recto, "base", "build"], self.variables)
        process([self.recto, "env", "build", self.project], self.variables)
        seconds_until_finished(prefix_of(self.own, self.project), BYTECODE_SECONDS_MAX)

    def build(self, project: Path, household: Household | None = None) -> Callable[[], None]:
        """`recto env build` of the project, the whole process."""
        variables = (household or self.own).variables
        return lambda: process([self.recto, "env", "build", project], variables)


def declared(project: Path) -> Declaration:
    """What a project declares."""
    return declare(Project.around(project).read)


def prefix_of(household: Household, project: Path) -> Path:
    """Where the ready environment of the project is."""
    with household.app().environments.ensure(declared(project), Grant.own()) as environment:
        return environment.prefix


def delta_lock(prefix: Path) -> str:
    """The part of an environment's lock that was installed over the base, as a `pylock.toml`."""
    manifest = json.loads((prefix / "recto.json").read_bytes())
    lock = tomllib.loads((prefix / "pylock.toml").read_text())
    delta = {item["name"] for item in manifest["plan"]["install"]}
    lock["packages"] = [package for package in lock["packages"] if package["name"] in delta]
    return tomli_w.dumps(lock)


def gone(path: Path) -> None:
    """Makes sure that nothing is at `path`."""
    if path.is_dir() and not path.is_symlink():
        subprocess.run(["chmod", "-R", "u+w", path], capture_output=True, check=False)
    subprocess.run(["rm", "-rf", path], check=True)
