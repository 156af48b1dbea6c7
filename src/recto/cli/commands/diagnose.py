"""`recto diagnose`: a log to problems."""

from __future__ import annotations

import argparse

from recto.cli.console import Console
from recto.cli.logs import read_ends
from recto.problems import EngineError, problem
from recto.problems.diagnosis import decode_ends, diagnose


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Prints what went wrong in a log, the most likely cause first."""
    text = decode_ends(*_read(arguments.file))
    problems = diagnose(text)
    if arguments.json or arguments.format == "json":
        from recto.problems.forms.as_json import json_form

        console.json(json_form(problems))
    elif arguments.format == "output-log":
        from recto.problems.forms.output_log import output_log

        console.file(output_log(problems, text, document=arguments.document))
    else:
        console.problems(problems)
    return 0


def _read(name: str) -> tuple[bytes, bytes]:
    try:
        return read_ends(name)
    except PermissionError as error:
        raise EngineError(problem("permission-denied", path=name)) from error
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError) as error:
        raise EngineError(problem("file-not-found", path=name)) from error
    except OSError as error:
        raise EngineError(problem("os-file-error", reason=f"`{name}`: {error.strerror or error}")) from error
