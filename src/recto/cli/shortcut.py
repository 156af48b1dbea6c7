"""The short way of `recto run`: what was answered before, found without importing what finds answers.

Only a run as it is usually written takes it (`recto run -- COMMAND`, `recto run --project DIR -- COMMAND`). Whatever is
not as it was, or is not understood here, is left to the ordinary way.
"""

from __future__ import annotations

import os

from recto.cli.becoming import become, variables
from recto.recall.holding import hold_again
from recto.recall.memo import recalled
from recto.recall.question import question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_again(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Becomes the command, or returns where this is not the way to run it."""
    run = directory_and_command(arguments)
    asked = question(run[0], environ) if run else None
    answer = recalled(asked) if asked else None
    if run is None or answer is None:
        return
    command, chosen = run[1], variables(answer.python, answer.prefix, environ)
    descriptor = hold_again(answer.prefix)
    if descriptor is None:
        return
    try:
        if answer.more:
            _say(answer.more, command[0], chosen["PATH"])
        become(command, chosen, (descriptor,))
    except OSError:
        # There is no such command, and the ordinary way has the words for that.
        os.close(descriptor)


def directory_and_command(arguments: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """The project and the command of a plain `run`; None for anything that the grammar has to say something about."""
    match arguments:
        case ["run", "--", *command]:
            directory = "."
        case ["run", "--project", directory, "--", *command] if not directory.startswith("-"):
            pass
        case ["run", first, *_] if not first.startswith("-"):
            directory, command = ".", list(arguments[1:])
        case _:
            return None
    return (directory, command) if command and command[0] else None


def _say(remarks: str, command: str, path: str) -> None:
    """Says what is to be said with this answer; FileNotFoundError where the command is missing, which comes first."""
    import json
    import shutil

    from recto.cli.console import standard_console
    from recto.problems import Problem

    if shutil.which(command, path=path) is None:
        raise FileNotFoundError(command)
    standard_console().problems(Problem.from_json(remark) for remark in json.loads(remarks))
