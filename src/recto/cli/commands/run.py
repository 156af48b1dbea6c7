"""`recto run`: any command in the project's environment.

The process becomes the command (exec), so signals and the exit code are the command's own. The lease goes with it: it
is a lock on a file descriptor that the command and its children inherit, and it ends with the last of them.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

from recto.app import App
from recto.cli.becoming import become, variables
from recto.cli.console import Console
from recto.cli.remembering import Grounds, Reads, begins_here, keep
from recto.cli.waiting import progress
from recto.declaration import Declaration, declare
from recto.environments import Environment
from recto.problems import EngineError, problem
from recto.render.project import Project
from recto.settings import child_environment


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Does not return when the command starts; 2 without a command."""
    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    if not argv or not argv[0]:
        console.say("usage: recto run [--project DIR] -- COMMAND...")
        return 2
    if not arguments.project.exists():
        raise EngineError(problem("file-not-found", path=arguments.project))
    app = App()
    if app.settings.sandbox != "none":
        # It becomes the command, with its terminal and its environment: nothing of that can be contained.
        raise EngineError(problem("run-uncontained", mechanism=app.settings.sandbox))
    project = Project.around(arguments.project)
    reads: list[tuple[str, bytes | None]] = []

    def read(name: str) -> bytes | None:
        data = project.read(name)
        reads.append((name, data))
        return data

    declaration = declare(read)
    with progress(console) as show:
        environment = app.environments.ensure(declaration, app.grant, show, retry=arguments.retry)
    # An answer that cannot be kept, on a disk that is full, is found again by asking again.
    with suppress(OSError):
        _remember(app, project, reads, declaration, environment)
    console.problems(environment.remarks)
    chosen = variables(str(environment.python), str(environment.prefix), child_environment())
    try:
        become(argv, chosen, environment.keep_open)
    except OSError as error:
        raise EngineError(problem("command-missing", command=argv[0], reason=error.strerror)) from error


def _remember(app: App, project: Project, reads: Reads, declaration: Declaration, environment: Environment) -> None:
    """Keeps the answer for the short way, where that could know it again."""
    asked = app.question(project.root, "run")
    if asked is None or environment.key is None or not begins_here(reads):
        return
    footing = app.environments.footing(declaration, environment.key)
    base = app.interpreters.fingerprint(app.base_python)
    if footing is not None and base is not None:
        keep(asked, environment, Grounds(reads, base, footing, app.settings.file))
