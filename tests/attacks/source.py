"""Cases of the kind `source`: a package without a wheel, whose `backend.py` puts what it sees into the one it builds.

What stands in for a control is uv alone.
"""

from __future__ import annotations

import json

from case import Case, Seen
from package import REFUSALS
from result import Result
from stage import Stage, Tools, stage
from words import word


def run(case: Case, mechanism: str, tools: Tools) -> Result:
    """What the backend saw when Recto had it build, or why that was not done."""
    with stage(case, mechanism, tools) as made:
        _publish(case, made)
        (made.project / "requirements.txt").write_text("evil\n")
        ran = made.recto("env", "build", "--json", RECTO_BUILDS="trusted")
        became = _seen(made) or {"build": REFUSALS.get(ran.codes[0], ran.out)}
        return Result(case.name, mechanism, Seen(became, **made.facts(ran.out + ran.err)))


def control(case: Case, tools: Tools) -> Result:
    """What it saw when uv had it build."""
    with stage(case, "none", tools) as made:
        for place in ("envs", "cache/uv"):
            (made.data / "v1" / place).mkdir(parents=True)
        _publish(case, made)
        said = made.uv("--no-config", "--default-index", made.index.url, "evil")
        return Result(case.name, "none", Seen(_seen(made), **made.facts(said)))


def _publish(case: Case, made: Stage) -> None:
    made.index.add_buildable("evil", "1.0", made.filled((case.directory / "backend.py").read_text()))


def _seen(made: Stage) -> dict[str, str]:
    for directory in (made.data / "v1" / "envs", made.root / "installed"):
        for path in directory.rglob("evil_seen.json"):
            return {name: word(what) for name, what in json.loads(path.read_text()).items()}
    return {}
