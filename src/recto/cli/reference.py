"""The page of commands, made from the parser, so that it cannot differ from it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from recto.cli.parser import parser

_HEAD = """\
# Commands

Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 refused or failed for a reason that you
can act on, 2 usage, 3 our fault, 130 interrupted. Colours follow `NO_COLOR`; a bar is drawn only where standard error
is a terminal.
"""


def commands_page() -> str:
    """The text of `docs/reference/commands.md`."""
    return _HEAD + "".join(_section(name, text, command) for name, text, command in _leaves(parser(), "recto"))


def _leaves(top: argparse.ArgumentParser, prefix: str) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    for action in top._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        said = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, command in action.choices.items():
            deeper = list(_leaves(command, f"{prefix} {name}"))
            yield from deeper or [(f"{prefix} {name}", said[name], command)]


def _section(name: str, text: str, command: argparse.ArgumentParser) -> str:
    rows = [row for action in command._actions if (row := _row(action))]
    table = "".join(["\n| argument | |\n| --- | --- |\n", *rows]) if rows else ""
    return f"\n## {name}\n\n{text[:1].upper()}{text[1:]}.\n{table}"


def _row(action: argparse.Action) -> str | None:
    if isinstance(action, argparse._HelpAction):
        return None
    shown = ", ".join(action.option_strings)
    if action.nargs != 0:
        choices = "" if action.choices is None else "\\|".join(map(str, action.choices))
        value = action.metavar if isinstance(action.metavar, str) else choices or action.dest.upper()
        shown = f"{shown} {value}".strip()
    return f"| `{shown}` | {action.help or ''} |\n"
