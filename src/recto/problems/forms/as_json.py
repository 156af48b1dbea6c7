"""Problems as the JSON object that every command with `--json` gives."""

from __future__ import annotations

from collections.abc import Iterable

from recto.problems.problem import Problem


def json_form(problems: Iterable[Problem]) -> dict[str, object]:
    """`{"problems": [...]}`, in the order given, each as the problem contract has it."""
    return {"problems": [found.to_json() for found in problems]}
