"""Cases of the kind `package`: a wheel of what lies in `package/`, and an `a.qmd` of a project that asks for it.

`seen.json` in the project is what the package or the document saw: what became of its tries.
"""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import msgspec
from case import Case, Seen
from document import PAGE, RENDER, told_in
from result import Result
from stage import Stage, Tools, stage
from words import word

from wheels import make_wheel

# By which code of Recto's a build was ended.
REFUSALS = {
    "sandbox-unavailable": "not built",
    "builds-uncontained": "not built",
    "disk-limit": "at the limit",
    "cap-installed": "at the limit",
    "cap-download": "at the limit",
}


class Wheel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What cannot lie in `package/` as it is: files of so many bytes that are all the same."""

    zeros: dict[str, int] = {}


def run(case: Case, mechanism: str, tools: Tools) -> Result:
    """What the package and the document saw, or why there is no environment."""
    with stage(case, mechanism, tools) as made:
        make_package(case, made)
        (made.project / "requirements.txt").write_text("evil\nplain\n")
        (made.project / "a.qmd").write_text(made.filled((case.directory / "a.qmd").read_text()))
        ran = made.recto(*RENDER)
        seen = made.project / "seen.json"
        if seen.exists():
            became = {name: word(what) for name, what in json.loads(seen.read_text()).items()}
        else:
            became = {"install": REFUSALS.get(ran.codes[0], ran.out)}
        page = made.project / PAGE
        facts = made.facts(ran.out + ran.err)
        if page.exists() and told_in(page.read_text()):
            facts["told"] += ("page",)
    return Result(case.name, mechanism, Seen(became, **facts))


def control(case: Case, tools: Tools) -> Result:
    """What `control.py` says, which the interpreter of an environment with the package runs uncontained."""
    with stage(case, "none", tools) as made:
        make_package(case, made)
        (made.project / "requirements.txt").write_text("evil\n")
        assert made.recto("env", "build").code == 0
        (configuration,) = made.data.glob("v1/envs/**/pyvenv.cfg")
        pip = find_spec("pip")
        assert pip is not None
        assert pip.origin is not None
        given = {"project": str(made.project), "index": made.other_index.url, "pip": str(Path(pip.origin).parents[1])}
        done = subprocess.run(
            (configuration.parent / "bin" / "python", case.directory / "control.py"),
            input=json.dumps(given),
            cwd=made.project,
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=True,
        )
        became = {name: word(what) for name, what in json.loads(done.stdout).items()}
    return Result(case.name, "none", Seen(became))


def make_package(case: Case, made: Stage) -> None:
    """Publishes the wheel."""
    root, more = case.directory / "package", case.directory / "wheel.toml"
    wheel = msgspec.toml.decode(more.read_bytes(), type=Wheel) if more.exists() else Wheel()
    files = {
        str(path.relative_to(root)): made.filled(path.read_text()) for path in root.rglob("*") if path.is_file()
    } | {name: "0" * size for name, size in wheel.zeros.items()}
    made.index.add_wheel(make_wheel(made.root / "wheels", "evil", "1.0", files))
