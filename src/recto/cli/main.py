"""From argv to an exit code.

0 done; 1 refused or failed for a reason the user can act on; 2 usage; 3 our fault; 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from types import FrameType

from recto.cli.console import Console
from recto.cli.parser import parser
from recto.problems import Cancelled, RectoError, full_disk, problem

COMMANDS = {
    "render": "recto.cli.commands.render",
    "run": "recto.cli.commands.run",
    "check": "recto.cli.commands.check",
    "env": "recto.cli.commands.env",
    "base": "recto.cli.commands.base",
    "diagnose": "recto.cli.commands.diagnose",
    "doctor": "recto.cli.commands.doctor",
    "version": "recto.cli.commands.version",
}

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of one command."""
    arguments = parser().parse_args(argv)
    from recto.settings import colour_wanted

    console = Console(sys.stdout, sys.stderr, colour=sys.stderr.isatty() and colour_wanted())
    signal.signal(signal.SIGTERM, _terminated)
    try:
        # Only the module of the command asked for is imported: `recto run` stands before every process it starts.
        code: int = importlib.import_module(COMMANDS[arguments.command]).run(arguments, console)
        sys.stdout.flush()
    except KeyboardInterrupt:
        console.say("Interrupted.")
        return INTERRUPTED
    except Cancelled as error:
        console.problems(error.problems)
        return INTERRUPTED
    except RectoError as error:
        console.problems(error.problems)
        return 1
    except BrokenPipeError:
        # Whoever read the data has gone; nothing more can be said on that stream, and the interpreter would try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        full = full_disk(error)
        if full is None:
            return _bug(error, console)
        console.problems([full])
        return 1
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes words and an exit code
        return _bug(error, console)
    return code


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bug(error: Exception, console: Console) -> int:
    """A log that can be sent to us, and a sentence; never a traceback as the answer."""
    with tempfile.NamedTemporaryFile("w", prefix="recto-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    console.problems([problem("internal", reason=f"{type(error).__name__}: {error}", log=log.name)])
    return 3
