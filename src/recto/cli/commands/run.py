"""`recto run`: any command in the project's environment.

The process becomes the command (exec), so signals and the exit code are the command's own. The lease goes with it: it
is a lock on a file descriptor that the command and its children inherit, and it ends with the last of them.
"""

from __future__ import annotations

import argparse
import os

from recto.app import App
from recto.cli.console import Console
from recto.cli.waiting import progress
from recto.declaration import declare
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
    project = Project.around(arguments.project)
    with progress(console) as show:
        environment = app.environments.ensure(declare(project.read), app.grant, show)
    console.problems(environment.remarks)
    for descriptor in environment.keep_open:
        os.set_inheritable(descriptor, True)
    try:
        os.execvpe(argv[0], argv, variables(environment, child_environment()))
    except OSError as error:
        raise EngineError(problem("command-missing", command=argv[0], reason=error.strerror)) from error


def variables(environment: Environment, inherited: dict[str, str]) -> dict[str, str]:
    """The inherited variables, with those that choose a Python set to the environment's."""
    chosen = {name: value for name, value in inherited.items() if name not in ("PYTHONHOME", "JUPYTER_PATH")}
    binaries = environment.prefix / "bin"
    return {
        **chosen,
        "QUARTO_PYTHON": str(environment.python),
        "VIRTUAL_ENV": str(environment.prefix),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PATH": os.pathsep.join((str(binaries), chosen.get("PATH", os.defpath))),
    }
