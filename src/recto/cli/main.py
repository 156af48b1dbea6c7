"""From argv to an exit code.

0 done; 1 refused or failed for a reason the user can act on; 2 usage; 3 our fault; 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from recto.cli.console import Console, standard_console
from recto.cli.interrupts import take_interrupts
from recto.cli.parser import parser
from recto.cli.streams import prepare_streams
from recto.problems import Cancelled, Problem, RectoError, full_disk, problem

COMMANDS = {
    "render": "recto.cli.commands.render",
    "run": "recto.cli.commands.run",
    "check": "recto.cli.commands.check",
    "env": "recto.cli.commands.env",
    "base": "recto.cli.commands.base",
    "gateway": "recto.cli.commands.gateway",
    "diagnose": "recto.cli.commands.diagnose",
    "audit": "recto.cli.commands.audit",
    "doctor": "recto.cli.commands.doctor",
    "version": "recto.cli.commands.version",
}

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of one command."""
    prepare_streams()
    words = sys.argv[1:] if argv is None else argv
    arguments = parser(words).parse_args(words)
    console = standard_console()
    take_interrupts()
    try:
        # Only the module of the command asked for is imported: `recto run` stands before every process it starts.
        code: int = importlib.import_module(COMMANDS[arguments.command]).run(arguments, console)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _answer((), arguments, console)
        console.say("Interrupted.")
        return INTERRUPTED
    except Cancelled as error:
        _answer(error.problems, arguments, console)
        return INTERRUPTED
    except RectoError as error:
        _answer(error.problems, arguments, console)
        from recto.cli.logs import keep_log

        keep_log(error.problems, error.raw, console)
        return 1
    except BrokenPipeError:
        # Whoever read the data has gone; nothing more can be said on that stream, and the interpreter would try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        full = full_disk(error)
        if full is None:
            return _bug(error, arguments, console)
        _answer((full,), arguments, console)
        return 1
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes words and an exit code
        return _bug(error, arguments, console)
    return code


def _answer(problems: Sequence[Problem], arguments: Namespace, console: Console) -> None:
    """What a command says that ended before it had a result: problems, as JSON too where that was asked for."""
    if getattr(arguments, "json", False) or getattr(arguments, "format", "") == "json":
        # The stream may be what failed; whoever reads it sees that, and the words below are still said.
        from recto.problems.forms.as_json import json_form

        with suppress(OSError):
            console.json(json_form(problems))
            console.out.flush()
    console.problems(problems)


def _bug(error: Exception, arguments: Namespace, console: Console) -> int:
    """A log that can be sent to us, and a sentence; never a traceback as the answer."""
    import tempfile
    import traceback

    from recto.problems.diagnosis import redacted

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="recto-", suffix=".log", delete=False
    ) as log:
        log.write(redacted("".join(traceback.format_exception(error))))
    _answer((problem("internal", reason=f"{type(error).__name__}: {error}", log=log.name),), arguments, console)
    return 3
