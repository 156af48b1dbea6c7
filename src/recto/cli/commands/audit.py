"""`recto audit`: what the gateway handed out, to whom, and what it did not."""

from __future__ import annotations

import argparse
import csv
import json
from collections import deque
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime

from packaging.utils import canonicalize_name

from recto.app import App
from recto.cli.cells import cell
from recto.cli.console import Console
from recto.cli.moments import moment
from recto.index.audit import Entry, Foreign, Selection, entries, fields
from recto.problems import counted
from recto.problems.forms.printable import one_line

# Characters of a column but the last.
_WIDTH = 48


class _Strangers:
    """What was left out: the count and the first of each file."""

    def __init__(self) -> None:
        self.first: dict[str, Foreign] = {}
        self.counts: dict[str, int] = {}

    def __call__(self, foreign: Foreign) -> None:
        self.first.setdefault(foreign.file, foreign)
        self.counts[foreign.file] = self.counts.get(foreign.file, 0) + 1


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Does the action of the second word."""
    return ACTIONS[arguments.action](arguments, console)


def show(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the last entries that are wanted, oldest first."""
    strangers = _Strangers()
    last = deque(_entries(arguments, strangers), arguments.n)
    if arguments.json:
        foreign = [
            {"file": file, "lines": strangers.counts[file], "first": one.line, "reason": one.reason}
            for file, one in strangers.first.items()
        ]
        console.json({"entries": [fields(entry) for entry in last], "foreign": foreign})
    else:
        _print_table([_row(entry) for entry in last], console)
        console.say("1 entry" if len(last) == 1 else f"{len(last)} entries")
    _tell(strangers, console)
    return 0


def export(arguments: argparse.Namespace, console: Console) -> int:
    """Prints all entries that are wanted, oldest first."""
    strangers = _Strangers()
    found = (fields(entry) for entry in _entries(arguments, strangers))
    if arguments.format == "csv":
        table = csv.DictWriter(console.out, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows({name: cell(value) for name, value in row.items()} for row in found)
    else:
        for row in found:
            console.data(json.dumps(row))
    _tell(strangers, console)
    return 0


COLUMNS = ("schema", *(name for name in Entry.__struct_fields__ if name != "schema"))


def _entries(arguments: argparse.Namespace, strangers: _Strangers) -> Iterator[Entry]:
    now = datetime.now(UTC)
    selection = Selection(
        since=None if arguments.since is None else moment("--since", arguments.since, now),
        until=None if arguments.until is None else moment("--until", arguments.until, now),
        package=None if arguments.package is None else canonicalize_name(arguments.package),
        subject=arguments.subject,
        verdict=arguments.verdict,
        rule=arguments.rule,
    )
    return entries(App().audit_directory, selection, strangers)


def _row(entry: Entry) -> tuple[str, ...]:
    when = entry.when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    why = ": ".join(filter(None, (entry.rule, entry.reason)))
    texts = (entry.subject or entry.client, entry.file or entry.package, entry.verdict, why)
    return (when, *(one_line(text) or "-" for text in texts))


def _print_table(rows: Collection[tuple[str, ...]], console: Console) -> None:
    """When, who, what, verdict, why."""
    widths = [min(max(map(len, column)), _WIDTH) for column in zip(*rows, strict=True)]
    for *columns, last in rows:
        cells = (f"{_cut(text):{width}}" for text, width in zip(columns, widths, strict=False))
        console.data("  ".join([*cells, last]))


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _tell(strangers: _Strangers, console: Console) -> None:
    for file, first in strangers.first.items():
        if first.line is None:
            console.say(f"`{file}` cannot be read to its end: {one_line(first.reason)}.")
        else:
            lines = counted(strangers.counts[file], "line")
            console.say(f"`{file}`: left out {lines}, the first is line {first.line}: {one_line(first.reason)}.")


ACTIONS: dict[str, Callable[[argparse.Namespace, Console], int]] = {"show": show, "export": export}
