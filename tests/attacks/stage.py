"""Where Recto itself is attacked: a project, an index, another index that nobody named, and a secret beside them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from case import Case
from msgspec import Struct
from world import SECRET

from commandline import Ran, Recto
from containing import PLAIN
from loopback_index import LoopbackIndex, serving
from recto.builder.workbench import Workbench
from wheels import make_wheel

# What builds `tiny`, and the project where that is installed: it leaves a file in the project.
_BACKEND = """\
import pathlib, zipfile
pathlib.Path("@project@", "ran").touch()
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name, info = "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info/"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as wheel:
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
build_editable = build_wheel
"""
_BUILD_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


class Tools(Struct, frozen=True):
    """The interpreter of a base that every user can reach, uv, the variables that both need, and tools of builders."""

    python: Path
    uv: Path
    workbench: Workbench
    environment: Mapping[str, str]


class Stage(Struct):
    """What is attacked, and what notices it."""

    root: Path
    tools: Tools
    index: LoopbackIndex
    other_index: LoopbackIndex
    recto: Recto

    @property
    def project(self) -> Path:
        """Whose document is rendered."""
        return self.root / "project"

    @property
    def away(self) -> Path:
        """Beside the project, with a secret and with a wheel that no index has."""
        return self.root / "away"

    @property
    def data(self) -> Path:
        """Recto's own directory."""
        return self.root / "data"

    def filled(self, text: str) -> str:
        """A text of a case with the places of this stage in it."""
        places = {
            "secret": str(self.away / "secret"),
            "away": str(self.away),
            "project": str(self.project),
            "data": str(self.data),
            "index": self.index.url,
            "token": SECRET,
            "other-index": self.other_index.url,
        }
        for name, place in places.items():
            text = text.replace(f"@{name}@", place)
        return text

    def copy(self, directory: Path) -> None:
        """Fills the project with the files of a case."""
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                to = self.project / path.relative_to(directory)
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_text(self.filled(path.read_text()))

    def uv(self, *arguments: str) -> str:
        """What uv alone says when it installs that, into a directory of its own, for whoever renders."""
        argv = (self.tools.uv, "pip", "install", "--python", self.tools.python, "--cache-dir", self.root / "uv-cache")
        done = subprocess.run(
            (*argv, "--target", self.root / "installed", *arguments),
            cwd=self.project,
            env={**self.tools.environment, "HOME": str(self.root / "home"), "SECRET_TOKEN": SECRET},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout + done.stderr

    def facts(self, said: str) -> dict[str, tuple[str, ...]]:
        """What is seen outside, given what was said: who was told, who was asked, what ran and what was installed."""
        named = ("index",) if any("secret-in-a-name" in path for path in self.index.asked) else ()
        ran = ("project",) if (self.project / "ran").exists() else ()
        planted = ("packages",) if any(self.root.glob("installed/planted*")) or any(self.data.rglob("planted*")) else ()
        return {
            "told": ("output",) if SECRET in said else (),
            "reached": (*named, *(("another index",) if self.other_index.asked else ())),
            "changed": (*ran, *planted),
        }


@contextmanager
def stage(case: Case, mechanism: str, tools: Tools) -> Iterator[Stage]:
    """A stage with Recto under this mechanism; it lies where every user can go."""
    root = Path(tempfile.mkdtemp(prefix="recto-attacked-"))
    root.chmod(0o755)
    try:
        with serving(LoopbackIndex()) as index, serving(LoopbackIndex()) as other:
            variables = {
                **tools.environment,
                "HOME": str(root / "home"),
                "RECTO_DATA_DIR": str(root / "data"),
                "RECTO_BASE": str(tools.python),
                "RECTO_SANDBOX": mechanism,
                "RECTO_SANDBOX_UID": str(PLAIN if os.geteuid() == 0 else 59_999),
                "RECTO_INDEX_URL": index.url,
                "SECRET_TOKEN": SECRET,
                **(case.settings if mechanism != "none" else {}),
            }
            made = Stage(root, tools, index, other, Recto(variables, root / "project"))
            for name in ("project", "away", "home"):
                (root / name).mkdir()
            for name in ("secret", "secret.png"):
                (made.away / name).write_text(f"{SECRET} = no requirement\n")
            make_wheel(made.away, "planted", "1.0", {"planted.py": ""})
            index.add("plain", "1.0")
            index.add_buildable("tiny", "1.0", made.filled(_BACKEND))
            other.add("plain", "6.6.6")
            yield made
    finally:
        _end_finishers(root / "data")
        shutil.rmtree(root)


def _end_finishers(data: Path) -> None:
    """Ends what Recto left to finish environments in the background, which would write to what is being removed."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("RECTO_DATA_DIR") == str(data):
                process.kill()
                found.append(process)
    psutil.wait_procs(found, timeout=10)


def buildable(made: Stage) -> None:
    """Makes the project one that an installer can build."""
    (made.project / "pyproject.toml").write_text(_BUILD_SYSTEM)
    (made.project / "backend.py").write_text(made.filled(_BACKEND))


def refused(ran: Ran) -> dict[int, str]:
    """The codes of errors, by the line of the requirements that they are of."""
    errors = [problem for problem in ran.json["problems"] if problem["level"] == "error"]
    return {problem["source"]["line"]: problem["code"] for problem in errors if problem.get("source")}
