"""`recto check`: the price tag of a declaration."""

from __future__ import annotations

import argparse

from recto.app import App
from recto.cli.console import Console
from recto.cli.mending import mend
from recto.cli.project import declaration_at
from recto.cli.waiting import progress
from recto.declaration import Declaration, Declared
from recto.environments import Checked
from recto.environments.resolutions import plan_to_json
from recto.policy import Plan
from recto.problems import Cancelled, Problem, RectoError, counted, size


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Prints what would be installed, what the base has, and the verdict."""
    try:
        if arguments.fix:
            mend(arguments.path, lambda: _problems(arguments, console), console)
        checked = _checked(arguments, console)
    except Cancelled:
        raise
    except RectoError as error:
        if arguments.json:
            console.json(_failed(error.problems))
        console.problems(error.problems)
        return 1
    if arguments.json:
        console.json(to_json(checked))
    else:
        _show(checked, console)
    problems = (*checked.verdict.problems, *checked.problems)
    console.problems(problems)
    return 1 if any(problem.level == "error" for problem in problems) else 0


def _problems(arguments: argparse.Namespace, console: Console) -> tuple[Problem, ...]:
    """Everything that is wrong, in whichever way it is found out."""
    try:
        checked = _checked(arguments, console)
    except Cancelled:
        raise
    except RectoError as error:
        return error.problems
    return (*checked.verdict.problems, *checked.problems)


def _checked(arguments: argparse.Namespace, console: Console) -> Checked:
    declaration = declaration_at(arguments.path)
    app = App()
    with progress(console) as show:
        return app.environments.check(declaration, app.grant, not arguments.no_resolve, show, retry=arguments.retry)


def _show(checked: Checked, console: Console) -> None:
    sources = ", ".join(checked.declaration.sources) or "nothing"
    console.data(f"declared    {counted(len(checked.declaration.requirements), 'requirement')} in {sources}")
    console.data(f"spec key    {checked.spec_key}")
    if checked.environment_key is not None:
        console.data(f"environment {checked.environment_key} ({checked.state})")
    if checked.plan is not None:
        _show_plan(checked.plan, console)


def _show_plan(plan: Plan, console: Console) -> None:
    console.data(f"install     {counted(len(plan.install), 'package')}, {size(plan.download_bytes)} to download")
    for item in plan.install:
        amount = "size unknown" if item.download_bytes is None else size(item.download_bytes)
        console.data(f"  {item.name} {item.version} ({amount})")
    console.data(f"from base   {counted(len(plan.from_base), 'package')}")
    for kept in plan.from_base:
        console.data(f"  {kept.name} {kept.version}")
    for replaced in plan.replaces:
        console.data(f"replaces    {replaced.name} {replaced.base} of the base by {replaced.version}")


def to_json(checked: Checked) -> dict[str, object]:
    """The object of `check --json`."""
    return {
        "declaration": _declaration(checked.declaration),
        "spec_key": checked.spec_key.digest,
        "environment_key": None if checked.environment_key is None else checked.environment_key.digest,
        "state": checked.state,
        "verdict": {
            "allowed": checked.verdict.allowed,
            "problems": [problem.to_json() for problem in checked.verdict.problems],
        },
        "plan": None if checked.plan is None else plan_to_json(checked.plan),
        "problems": [problem.to_json() for problem in checked.problems],
    }


def _failed(problems: tuple[Problem, ...]) -> dict[str, object]:
    return {
        "declaration": {"requirements": [], "sources": []},
        "spec_key": None,
        "environment_key": None,
        "state": "failed",
        "verdict": {"allowed": False, "problems": []},
        "plan": None,
        "problems": [problem.to_json() for problem in problems],
    }


def _declaration(declaration: Declaration) -> dict[str, object]:
    return {
        "requirements": [_declared(entry) for entry in declaration.requirements],
        "sources": list(declaration.sources),
    }


def _declared(entry: Declared) -> dict[str, object]:
    requirement = entry.requirement
    return {
        "name": requirement.name,
        "extras": sorted(requirement.extras),
        "specifier": str(requirement.specifier),
        "marker": None if requirement.marker is None else str(requirement.marker),
        "source": entry.source.to_json(),
    }
