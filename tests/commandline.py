"""The real command line, as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema

SCHEMAS = Path(__file__).parents[1] / "docs" / "reference" / "schemas"


def valid(value: Any, schema: str) -> Any:
    """The value, which follows the schema of that name."""
    jsonschema.validate(value, json.loads((SCHEMAS / f"{schema}.json").read_text()))
    return value


@dataclass(frozen=True)
class Ran:
    """One finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def codes(self) -> list[str]:
        return [problem["code"] for problem in self.json["problems"]]


@dataclass(frozen=True)
class Recto:
    """`recto` with these variables and nothing else of ours."""

    variables: Mapping[str, str]
    cwd: Path
    argv: tuple[str, ...] = field(default=(sys.executable, "-m", "recto"))

    def __call__(self, *arguments: object, stdin: str = "", **variables: str) -> Ran:
        done = subprocess.run(
            [*self.argv, *map(str, arguments)],
            env={**self.variables, **variables},
            cwd=self.cwd,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode != 3, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: object, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.argv, *map(str, arguments)],
            env={**self.variables, **variables},
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
