"""`recto run`: any command in the project's environment.

The process becomes the command (exec), so signals and the exit code are the command's own. The lease goes with it: it
is a lock on a file descriptor that the command and its children inherit, and it ends with the last of them.
"""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from pathlib import Path

import packaging

from recto.app import App
from recto.cli.becoming import become, variables
from recto.cli.console import Console
from recto.cli.waiting import progress
from recto.declaration import Declaration, declare
from recto.environments import Environment
from recto.interpreters.states import state_of
from recto.problems import EngineError, problem
from recto.recall import evidence
from recto.recall.evidence import Evidence
from recto.recall.memo import Answer, remember
from recto.recall.question import question
from recto.render.project import ROOT_FILES, Project
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
    reads: list[tuple[str, bytes | None]] = []

    def read(name: str) -> bytes | None:
        data = project.read(name)
        reads.append((name, data))
        return data

    declaration = declare(read)
    with progress(console) as show:
        environment = app.environments.ensure(declaration, app.grant, show)
    # An answer that cannot be kept, on a disk that is full, is found again by asking again.
    with suppress(OSError):
        _remember(app, project, reads, declaration, environment)
    console.problems(environment.remarks)
    chosen = variables(str(environment.python), str(environment.prefix), child_environment())
    try:
        become(argv, chosen, environment.keep_open)
    except OSError as error:
        raise EngineError(problem("command-missing", command=argv[0], reason=error.strerror)) from error


def _remember(
    app: App,
    project: Project,
    reads: list[tuple[str, bytes | None]],
    declaration: Declaration,
    environment: Environment,
) -> None:
    """Keeps the answer for the short way, with all that it depends on."""
    asked = question(str(project.root), child_environment())
    if asked is None or environment.key is None or Path(asked.memo).parent != app.runs:
        return
    # A project that begins further up, or at no file at all, would take a search to be recognised.
    if not any(name in ROOT_FILES and data is not None for name, data in reads):
        return
    footing = app.environments.footing(declaration, environment.key)
    base = app.interpreters.fingerprint(app.base_python)
    if footing is None or base is None:
        return
    remarks = json.dumps([remark.to_json() for remark in footing.remarks]) if footing.remarks else ""
    seen: list[Evidence] = [
        *(evidence.own_file(name, data) for name, data in reads),
        evidence.file(str(footing.seen.record), footing.seen.record_data),
        evidence.file(str(footing.seen.mark), footing.seen.mark_data),
        *(evidence.state(*state) for state in base.files),
        evidence.this_machine(),
        # An upgrade of what Recto reads with, which may read otherwise, changes the directory where it lies.
        evidence.state(*state_of(str(Path(packaging.__file__).parents[1]))),
    ]
    if app.settings.file is not None:
        seen.append(evidence.file(str(app.settings.file.path), app.settings.file.data))
    remember(asked, Answer(str(environment.python), str(environment.prefix), remarks), seen)
