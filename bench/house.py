"""The house that rows are measured in: a data directory with a curated base, and a project that needs more."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.timing import process
from recto.app import App
from recto.declaration import Declaration, declare
from recto.render.project import Project
from recto.settings import Settings, load

# The set that the design's figures are about: what documents of statistics classes ask for beyond the base.
PACKAGES = ("polars", "duckdb", "statsmodels", "networkx", "great-tables", "altair")


@dataclass(frozen=True)
class House:
    """Everything below `root`; what is there is used again."""

    root: Path

    @cached_property
    def variables(self) -> dict[str, str]:
        """What every measured process sees."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECTO_", "UV_", "VIRTUAL"))}
        return {**kept, "RECTO_DATA_DIR": str(self.root / "data"), "UV_CACHE_DIR": str(self.root / "uv-cache")}

    @cached_property
    def settings(self) -> Settings:
        return load({**self.variables})

    @cached_property
    def app(self) -> App:
        return App(self.settings)

    @property
    def recto(self) -> Path:
        return Path(sys.executable).with_name("recto")

    @cached_property
    def project(self) -> Path:
        """A project that declares PACKAGES."""
        path = self.root / "project"
        path.mkdir(parents=True, exist_ok=True)
        (path / "requirements.txt").write_text("".join(f"{name}\n" for name in PACKAGES))
        return path

    @property
    def declaration(self) -> Declaration:
        return declare(Project.around(self.project).read)

    def prepare(self) -> None:
        """Makes the base, and fetches every wheel once, for us and for each peer."""
        process([self.recto, "base", "build"], self.variables)
        process([self.recto, "env", "build", self.project], self.variables)

    def forget(self, *buckets: str) -> None:
        """Removes the project's environment, and the records in these buckets."""
        store = self.app.store
        for entry in list(store.environments()):
            store.remove(entry.key)
        for bucket in buckets:
            for record in (self.root / "data" / "v1" / bucket).glob("*.json"):
                record.unlink()
