"""`recto diagnose`: a log to problems."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from recto.cli.console import Console
from recto.problems import EngineError, problem
from recto.problems.diagnosis import decode, diagnose


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Prints what went wrong in a log, the most likely cause first."""
    problems = diagnose(decode(_read(arguments.file)))
    if arguments.json:
        console.json({"problems": [found.to_json() for found in problems]})
    else:
        console.problems(problems)
    return 0


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise EngineError(problem("file-not-found", path=name)) from error
