"""Recto's own clean input for a resolver. The user's file is never handed to one."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from recto.declaration.model import Declaration, Declared
from recto.declaration.pep508 import canonical


class CleanInput(Struct, frozen=True):
    """A requirements text, one requirement a line in canonical spelling, sorted; line n asks for `declared[n - 1]`."""

    text: str
    declared: tuple[Declared, ...]

    def at(self, line: int) -> Declared | None:
        """Who asked for a line of the text, None for a line that it does not have; lines count from 1."""
        return self.declared[line - 1] if 1 <= line <= len(self.declared) else None


def clean_requirements(declaration: Declaration) -> CleanInput:
    """The requirements; of several that are the same, the first in the user's order stands for all."""
    return _clean(declaration.requirements)


def clean_constraints(declaration: Declaration) -> CleanInput:
    """The constraints, in the same form."""
    return _clean(declaration.constraints)


def _clean(declared: Iterable[Declared]) -> CleanInput:
    by_line: dict[str, Declared] = {}
    for each in declared:
        line = " ".join((canonical(each.requirement), *(f"--hash={digest}" for digest in sorted(each.hashes))))
        by_line.setdefault(line, each)
    lines = sorted(by_line)
    return CleanInput("".join(f"{line}\n" for line in lines), tuple(by_line[line] for line in lines))
