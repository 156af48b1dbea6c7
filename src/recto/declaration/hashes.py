"""`--hash` after a requirement.

A hash is one more condition on its own requirement: the file that is installed must have one of them. It does not
oblige the other lines to have hashes, as it does in pip, because everything that is installed is checked against the
hashes of the lock anyway. Like pip, a hash needs an exact version: it could belong to no other.

What is wrong with a hash gets no edit: without it the line would ask for less than its author did, and the right one is
known to the index alone. Only where another version has to stand there do the hashes go, and the fix says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recto.declaration.entry import Entry
from recto.declaration.showing import shown
from recto.problems import Problem

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# Hexadecimal digits of each digest.
_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_FIRST_OPTION = re.compile(r"\s--?[A-Za-z]")
_HASH = re.compile(r"--hash(?:=|\s+)(\S+)|(\S+)")


def split(text: str) -> tuple[str, str]:
    """The requirement, and the options after it."""
    option = _FIRST_OPTION.search(text)
    return (text[: option.start()].rstrip(), text[option.start() :]) if option else (text, "")


def read(entry: Entry, options: str) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The hashes, sorted, as `algorithm:hexdigest`; and what else stands there."""
    hashes, problems = set[str](), list[Problem]()
    for match in _HASH.finditer(options):
        if match[1] is None:
            problems.append(_option(entry, match[2]))
        elif reason := _unfit(match[1].lower()):
            problems.append(entry.refused("declaration-hash", reason=reason))
        else:
            hashes.add(match[1].lower())
    return tuple(sorted(hashes)), tuple(problems)


def unpinned(entry: Entry, requirement: Requirement) -> Problem | None:
    """The problem of a hash without an exact version."""
    exact = [c for c in requirement.specifier if c.operator == "==" and not c.version.endswith(".*")]
    if exact:
        return None
    return entry.refused("declaration-hash", reason=f"`{requirement.name}` has a hash but no exact version")


def _unfit(value: str) -> str | None:
    algorithm, _, digest = value.partition(":")
    digits = _DIGITS.get(algorithm)
    if digits is None:
        return f"only {', '.join(_DIGITS)} are accepted"
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", digest):
        return f"a {algorithm} hash has {digits} hexadecimal digits"
    return None


def _option(entry: Entry, token: str) -> Problem:
    name = shown(token.partition("=")[0], 40)
    fix = None
    if len(entry.text.split()) > 1 and entry.text.count(token) == 1 and "=" in token:
        fix = entry.rewrite(f"Remove `{name}`", " ".join(entry.text.replace(token, "").split()))
    return entry.refused(
        "declaration-option", fix, option=name, instead="Remove it: only `--hash` may follow a requirement."
    )
