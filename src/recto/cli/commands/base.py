"""`recto base`: the interpreter and packages that all environments see."""

from __future__ import annotations

import argparse
from pathlib import Path

from recto.app import App
from recto.cli.console import Console
from recto.cli.waiting import progress
from recto.engines.base import RENDER_STACK
from recto.interpreters import Base, missing_render_stack
from recto.problems import BaseError, problem


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Does the action of the second word."""
    return build(arguments, console) if arguments.action == "build" else show(arguments, console)


def build(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the interpreter of the base, which is made unless it is there already."""
    app = App()
    requirements = arguments.requirements
    if requirements is not None and not requirements.is_file():
        raise BaseError(problem("file-not-found", path=requirements))
    before = _identity(app.curated_base)
    with progress(console) as show_progress:
        python = app.base_builder.build(
            app.python,
            app.curated_base,
            requirements,
            upgrade=arguments.upgrade,
            progress=show_progress,
        )
    if _identity(app.curated_base) != before:
        # A base comes with wheels, bytecode and half a gigabyte of its own, which nobody else tells the store of.
        app.store.audit()
    return _print(app.interpreters.probe(python), arguments.json, console)


def _identity(directory: Path) -> int | None:
    return directory.stat().st_ino if directory.exists() else None


def show(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the base in force."""
    return _print(App().base(), arguments.json, console)


def _print(base: Base, as_json: bool, console: Console) -> int:
    identity = base.identity
    if as_json:
        console.json(
            {
                "python": str(base.python),
                "prefix": str(base.prefix),
                "version": identity.version,
                "platform": identity.platform,
                "distributions": dict(sorted(identity.distributions.items())),
                "missing": list(missing_render_stack(base, RENDER_STACK)),
            }
        )
        return 0
    console.say(f"Python {identity.version} with {len(identity.distributions)} packages, {identity.platform}")
    console.data(str(base.python))
    return 0
