"""The grammar of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from pathlib import Path

from recto.version import VERSION

_JSON = "print JSON to standard output"
_PATH = "a document or a project directory [.]"
_RETRY = "try packages again that failed a short while ago"


def parser(words: Collection[str] | None = None) -> argparse.ArgumentParser:
    """The parser; its result has `command` and, for `env` and `base`, `action`.

    Given the `words` of a command line, only the arguments of commands among them are made: making all takes as long
    as ten imports, and no more than one command is ever parsed.
    """
    top = argparse.ArgumentParser(
        prog="recto", description="Python packages for each document project, built once and shared."
    )
    top.add_argument("--version", action="version", version=f"recto {VERSION}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, arguments) in _COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if words is None or name in words:
            arguments(command)
    return top


def _render(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", type=Path, metavar="PATH", help="a .qmd, .md or .ipynb document")
    command.add_argument(
        "--to",
        action="append",
        default=[],
        metavar="FORMAT",
        help="html, docx or pdf; may be repeated [the document's]",
    )
    command.add_argument("--engine", choices=("auto", "quarto", "jupyter"), default="auto", help="[auto]")
    command.add_argument("--output-dir", type=Path, metavar="DIR", help="where outputs go [beside the document]")
    command.add_argument(
        "--sandbox", choices=("none", "bubblewrap", "landlock"), help="what contains the document [RECTO_SANDBOX]"
    )
    command.add_argument("--retry", action="store_true", help=_RETRY)
    command.add_argument("--json", action="store_true", help=_JSON)


def _run(command: argparse.ArgumentParser) -> None:
    command.add_argument("--project", type=Path, default=Path(), metavar="DIR", help="the project [.]")
    command.add_argument("--retry", action="store_true", help=_RETRY)
    command.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND...", help="what to run")


def _check(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", type=Path, nargs="?", default=Path(), metavar="PATH", help=_PATH)
    command.add_argument("--no-resolve", action="store_true", help="read the declaration only; no network")
    command.add_argument("--fix", action="store_true", help="make the edits that mend what is found; show them first")
    command.add_argument("--retry", action="store_true", help=_RETRY)
    command.add_argument("--json", action="store_true", help=_JSON)


def _env(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (
        ("build", "build the environment of a project, if it is not there"),
        ("show", "show the environment of a project"),
        ("explain", "show every input of the keys"),
        ("update", "look for newer versions and build with them"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("path", type=Path, nargs="?", default=Path(), metavar="PATH", help=_PATH)
        if name == "build":
            action.add_argument("--retry", action="store_true", help=_RETRY)
        action.add_argument("--json", action="store_true", help=_JSON)
    listing = actions.add_parser("list", help="list the environments of the store")
    listing.add_argument("--json", action="store_true", help=_JSON)
    prune = actions.add_parser("prune", help="remove what was not used for longest, until the store fits its budget")
    prune.add_argument("--budget", metavar="SIZE", help="for example 5GB [RECTO_BUDGET]")
    prune.add_argument("--json", action="store_true", help=_JSON)
    finish = actions.add_parser(
        "finish", help="compile what environments in use still lack; runs by itself after a build"
    )
    finish.add_argument("--background", action="store_true", help="at low priority, and not where another is at it")
    finish.add_argument("--json", action="store_true", help=_JSON)
    for name, text in (
        ("pin", "keep an environment whatever its age"),
        ("unpin", "let an environment go again"),
        ("rm", "remove an environment now"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("key", metavar="KEY", help="the first digits of a key")
        action.add_argument("--json", action="store_true", help=_JSON)


def _base(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser("build", help="make a base from the curated list of packages")
    build.add_argument("--requirements", type=Path, metavar="FILE", help="other packages than the curated ones")
    build.add_argument("--upgrade", action="store_true", help="make it anew with today's versions")
    build.add_argument("--json", action="store_true", help=_JSON)
    show = actions.add_parser("show", help="show the base in force")
    show.add_argument("--json", action="store_true", help=_JSON)


def _diagnose(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", nargs="?", default="-", metavar="FILE", help="a log, `-` for standard input [-]")
    command.add_argument(
        "--format",
        choices=("text", "json", "output-log"),
        default="text",
        help="words, JSON, or a log for the log panel of an Overleaf-like host [text]",
    )
    command.add_argument(
        "--document",
        default="output.log",
        metavar="FILE",
        help="for `output-log`: where problems are shown that name no file [output.log]",
    )
    command.add_argument("--json", action="store_true", help=_JSON)


def _audit(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="show the last answers of the gateway: when, who, what, verdict, why")
    show.add_argument("-n", type=_count, default=50, metavar="N", help="how many at most [50]")
    show.add_argument("--json", action="store_true", help=_JSON)
    export = actions.add_parser("export", help="print all answers of the gateway, one a line")
    export.add_argument(
        "--format",
        choices=("jsonl", "csv"),
        default="jsonl",
        help="JSON lines, or a table that spreadsheets compute nothing in [jsonl]",
    )
    for action in (show, export):
        action.add_argument("--since", metavar="MOMENT", help="for example `24h`, `7d` or `2026-11-26` (UTC)")
        action.add_argument("--until", metavar="MOMENT", help="the same; what happened then is left out")
        action.add_argument("--package", metavar="NAME", help="of this package only")
        action.add_argument("--subject", metavar="NAME", help="for this person only")
        action.add_argument(
            "--verdict", choices=("served", "hidden", "refused", "failed"), help="with this answer only"
        )
        action.add_argument("--rule", metavar="NAME", help="by this rule only")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help=_JSON)


def _gateway(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1", metavar="HOST", help="the address to listen at [127.0.0.1]")
    command.add_argument("--port", type=int, default=8765, metavar="PORT", help="the port to listen at [8765]")
    command.add_argument("--socket", type=Path, metavar="PATH", help="listen at a Unix socket instead")


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "render": ("render a document with its project's packages", _render),
    "run": ("run any command in the project's environment", _run),
    "check": ("show what would be installed; install nothing", _check),
    "env": ("build, show, explain, update and remove environments", _env),
    "base": ("make and show the base that all environments see", _base),
    "gateway": ("serve packages of an index by the operator's rules", _gateway),
    "diagnose": ("say what went wrong in a log", _diagnose),
    "audit": ("show what the gateway handed out, and what it did not", _audit),
    "doctor": ("check this installation", _json),
    "version": ("print versions", _json),
}
