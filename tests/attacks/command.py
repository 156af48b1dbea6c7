"""Cases of the kind `command`: an `attempt.py` whose tries are system calls, run by a mechanism as it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from case import Case, Seen
from mechanism import sandbox, user_of
from result import Result
from words import word
from world import SECRET, world

from containing import PYTHON
from recto.sandbox.base import Command, Limits, Outcome

TRYING = Path(__file__).with_name("trying.py")
_SCRATCH_BYTES = 20_000_000
_WALL_SECONDS = 60


def run(case: Case, mechanism: str) -> Result:
    """What became of the tries, in a world of their own, with the secret in our own environment."""
    with world(user_of(mechanism)) as attacked, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET_TOKEN", SECRET)
        scripts = attacked.root / "scripts"
        scripts.mkdir()
        for script in (TRYING, case.directory / "attempt.py"):
            (scripts / script.name).write_bytes(script.read_bytes())
        command = Command(
            (PYTHON, "-I", "-S", str(scripts / "trying.py"), str(scripts / "attempt.py")),
            attacked.own,
            {"TMPDIR": str(attacked.own)},
            (*_interpreter(), *attacked.shown, scripts),
            (attacked.own,),
            stdin=json.dumps(attacked.given()).encode(),
            limits=Limits(**{"wall_seconds": _WALL_SECONDS, "scratch_bytes": _SCRATCH_BYTES, **case.limits}),
        )
        outcome = sandbox(mechanism).run(command)
        said = outcome.stdout + outcome.stderr
        seen = Seen(
            tries(outcome),
            attacked.changed(),
            ("output",) if SECRET.encode() in said else (),
            attacked.reached(),
            attacked.left(),
        )
    return Result(case.name, mechanism, seen, outcome.tiers)


def tries(outcome: Outcome) -> dict[str, str]:
    """What became of each try; the last one may have ended the process."""
    lines = [json.loads(line) for line in outcome.stdout.splitlines()]
    became = {name: word(told) if told else _ended(outcome) for name, told in lines}
    assert became, outcome.stderr.decode()
    assert outcome.succeeded or _ended(outcome) in became.values(), outcome
    return became


def _ended(outcome: Outcome) -> str:
    if outcome.out_of_memory:
        return "ended at the limit of memory"
    return {"disk-limit": "ended at the limit of the disk", "timed-out": "ended at the limit of time"}.get(
        outcome.stop, f"ended with {outcome.code}: {outcome.stderr.decode()}"
    )


def _interpreter() -> tuple[Path, ...]:
    python = Path(PYTHON)
    if python.is_relative_to("/usr"):
        return ()
    return tuple(dict.fromkeys([Path(sys.base_prefix), Path(os.path.realpath(python)).parents[1], Path(sys.prefix)]))
