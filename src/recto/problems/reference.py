"""The reference page of problems, made from the catalogue."""

from __future__ import annotations

from itertools import groupby

from recto.problems.catalogue import KINDS
from recto.problems.kind import Kind

_OPENING = """# Problems

Every failure ends in problems. A problem has a code from this page, a level, a message, a hint, and where they are
known the package, the file and line, an excerpt of the tool's own words, and the edit that mends it.

As JSON a problem is
`{"code","level","message","hint","package","source":{"file","line"}|null,"excerpt","fix":{"title","edits":[{"file","line","old","new"}]}|null}`.
Codes are stable; the words may change. *For* says who can mend it. This page is made from the catalogue in
`src/recto/problems/kinds/`.
"""

_TITLES = {
    "declaration": "The declaration",
    "policy": "The operator's policy",
    "base": "The base interpreter",
    "install": "Looking packages up and installing them",
    "input": "Inputs of an installer",
    "build": "Building",
    "network": "The way to the index",
    "environment": "The machine and its interpreters",
    "store": "The data directory, and Recto itself",
    "audit": "The audit log of the gateway",
    "import": "Importing",
    "execution": "Running cells",
    "render": "Writing the output",
}


def catalogue_page() -> str:
    """The page in Markdown: a section a group, an entry a code, with the words filled from the kind's example."""
    sections = [_section(group, list(kinds)) for group, kinds in groupby(KINDS.values(), key=lambda kind: kind.group)]
    return "\n".join([_OPENING, *sections])


def _section(group: str, kinds: list[Kind]) -> str:
    return "\n".join([f"## {_TITLES.get(group, group.capitalize())}", "", *(_entry(kind) for kind in kinds)])


def _entry(kind: Kind) -> str:
    level = "" if kind.level == "error" else f", level {kind.level}"
    return (
        f"### `{kind.code}`\n\n"
        f"{kind.meaning}\n\n"
        f"> {kind.message.format(**kind.example)}\n>\n"
        f"> hint: {kind.hint.format(**kind.example)}\n\n"
        f"For: {_MENDERS[kind.who]}{level}.\n"
    )


_MENDERS = {
    "author": "the author of the document",
    "operator": "the operator of the server",
    "maintainer": "the people who maintain the package or Recto",
    "nobody": "nobody; it passes, or needs no mending",
}
