"""The peers that make an environment from wheels: pip, uv, and a mere copy of the finished tree.

Each has its own cache on the same file system, the same base, index and Python, and an old copy is removed untimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.house import gone
from bench.timing import Contender, process
from recto.interpreters import Base


@dataclass(frozen=True, slots=True)
class Peers:
    """What the peers work with: `scratch` for what they make, `variables` with the places of their caches."""

    scratch: Path
    base: Base
    uv: Path
    variables: Mapping[str, str]

    def pip(self, requirements: Path, *options: str) -> Contender:
        """`python -m venv` over the base and `pip install -r`."""
        target = self.scratch / "pip"

        def act() -> None:
            process([self.base.python, "-m", "venv", target], self.variables)
            (site,) = target.glob("lib/python*/site-packages")
            # `--system-site-packages` would show the interpreter below a base that is itself a virtual environment.
            (site / "base.pth").write_text("".join(f"{path}\n" for path in self.base.site_packages))
            process([target / "bin" / "pip", "install", *options, "-r", requirements], self.variables)

        return Contender(act, lambda: gone(target))

    def uv_install(self, requirements: Path, *options: str) -> Contender:
        """`uv venv` and `uv pip install --compile-bytecode -r`, of a list or a lock."""
        target = self.scratch / "uv"
        install = ("pip", "install", "--no-config", "--compile-bytecode", "--python", target / "bin" / "python")

        def act() -> None:
            process([self.uv, "venv", "--no-config", "--python", self.base.python, target], self.variables)
            process([self.uv, *install, *options, "-r", requirements], self.variables)

        return Contender(act, lambda: gone(target))

    def copy(self, source: Path) -> Contender:
        """`cp -al` of a finished tree: as many links and directories as any way must make."""
        target = self.scratch / "copy"
        return Contender(lambda: process(["cp", "-al", source, target], self.variables), lambda: gone(target))
