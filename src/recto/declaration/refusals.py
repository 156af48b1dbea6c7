"""Lines that are no requirement at all: options, variables, what a merge or a paste left behind, commands.

A refusal is a function that knows one such line and says what to write instead. `RULES` is asked in order, before
anything is parsed; the first answer counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from recto.declaration import addresses, conda
from recto.declaration.entry import Entry
from recto.declaration.pep508 import NotARequirement, parse
from recto.declaration.showing import shown
from recto.problems import Problem

_MERGE = re.compile(r"<{7}( .*)?|={7}|>{7}( .*)?|\|{7}( .*)?")
_FENCE = re.compile(r"(```|~~~).*")
_OPTION = re.compile(r"-{1,2}[A-Za-z][\w-]*")
_VARIABLE = re.compile(r"\$\{\w+\}|%\w+%|\$[A-Za-z_]\w*")
_COMMAND = re.compile(
    r"[!%$>]?\s*(?:sudo\s+)?(?:python[\d.]*\s+-m\s+)?(?:pip[\d.]*\s+install|conda\s+install|mamba\s+install|uv\s+pip\s+install|uv\s+add|poetry\s+add)\s+(.*)"
)
_HARMLESS_FLAGS = frozenset({"-U", "--upgrade", "-q", "-qq", "--quiet", "--user", "-y"})

_INDEX = "Delete the line: packages come from the index that the operator set."
_WHEELS = "Delete the line: the operator decides whether packages are built from source."
_PRERELEASE = "Delete the line, and name the pre-release you want, for example `polars==2.0rc1`."
_HASH = "Write it behind its requirement, or end the line before it with a backslash."
_INSTEAD = {
    **dict.fromkeys(("-i", "--index-url", "--extra-index-url", "--no-index", "--trusted-host"), _INDEX),
    **dict.fromkeys(("-f", "--find-links"), _INDEX),
    **dict.fromkeys(("--no-binary", "--only-binary", "--prefer-binary"), _WHEELS),
    **dict.fromkeys(("--pre", "--all-releases", "--only-final"), _PRERELEASE),
    **dict.fromkeys(("-r", "--requirement", "-c", "--constraint"), "Name a file after it, or delete the line."),
    "--require-hashes": "Delete the line: hashes are always checked.",
}


def first_refusal(entry: Entry) -> Problem | None:
    """The refusal of the first rule that knows this line, or None."""
    return next((refusal for rule in RULES if (refusal := rule(entry))), None)


def _merge_marker(entry: Entry) -> Problem | None:
    """A marker on a line of its own can go. One inside a continued line parts what belongs to one requirement, and only
    its author knows which of the two sides is meant: that gets no edit.
    """
    inside = next((line for line in entry.written[1:] if _MERGE.fullmatch(line.strip(" \t\\"))), None)
    if inside is not None:
        return entry.refused("merge-conflict", line=shown(inside.strip(), 40))
    if not _MERGE.fullmatch(entry.text):
        return None
    return entry.refused(
        "merge-conflict", entry.delete("Delete the marker, keep both sides"), line=shown(entry.text, 40)
    )


def _fence(entry: Entry) -> Problem | None:
    if not _FENCE.fullmatch(entry.text):
        return None
    return entry.refused(
        "invalid-requirement",
        entry.delete(),
        line="code fence",
        reason="it belongs to Markdown",
        suggestion="polars>=1",
    )


def _include_in_list(entry: Entry) -> Problem | None:
    option = re.match(r"(-r|-c|--requirement|--constraint)\b", entry.text)
    if not (entry.in_list and option):
        return None
    instead = "Write the packages here, or put this line into `requirements.txt`."
    return entry.refused("declaration-option", option=option[1], instead=instead)


def _editable(entry: Entry) -> Problem | None:
    option = re.match(r"(?:-e|--editable)\b[=\s]*(.*)", entry.text)
    if not option:
        return None
    return entry.refused(
        "declaration-url",
        line=shown(entry.text, 80),
        what="a project under development",
        instead=addresses.instead_of(option[1].strip("\"'")),
    )


def _option(entry: Entry) -> Problem | None:
    option = _OPTION.match(entry.text)
    if not option:
        return None
    if option[0].lower() == "--hash":
        # Its requirement may be the line before, so it is not to be deleted.
        return entry.refused("declaration-option", option="--hash", instead=_HASH)
    instead = _INSTEAD.get(option[0].lower(), "Delete the line: how packages are installed is the operator's choice.")
    return entry.refused("declaration-option", entry.delete(), option=shown(option[0], 40), instead=instead)


def _variable(entry: Entry) -> Problem | None:
    variable = _VARIABLE.search(entry.text)
    return entry.refused("declaration-variable", variable=shown(variable[0], 80)) if variable else None


def _command(entry: Entry) -> Problem | None:
    command = _COMMAND.fullmatch(entry.text)
    if not command:
        return None
    words = [word.strip("\"'") for word in command[1].split()]
    names = [word for word in words if word not in _HARMLESS_FLAGS]
    fix = entry.rewrite("Write the packages only", *names) if names and all(map(_is_plain, names)) else None
    return entry.refused(
        "invalid-requirement",
        fix,
        line=shown(entry.text, 80),
        reason="it is a command",
        suggestion=names[0] if fix else "polars>=1",
    )


def _is_plain(text: str) -> bool:
    try:
        parse(text)
    except NotARequirement:
        return False
    return True


RULES: tuple[Callable[[Entry], Problem | None], ...] = (
    _merge_marker,
    _fence,
    _include_in_list,
    _editable,
    _option,
    _variable,
    _command,
    conda.refusal,
    addresses.refusal,
)
