"""One refusal that is to be mended: its problem, the lines that take part, and the proof of a change to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from packaging.utils import NormalizedName, canonicalize_name

from recto.declaration import Declaration, Declared
from recto.problems import Problem, ResolveError
from recto.resolver.failures import LINES_NAMED, lines_named
from recto.resolver.fixes.lines import changed, entries
from recto.resolver.fixes.trials import Trials
from recto.resolver.installed import Versions

# Lines that are mended one after the other before all of them together fit. Three typing errors in one file are rare,
# and each takes runs of the resolver.
ROUNDS = 3


class Step(Struct, frozen=True):
    """A problem and the places of the lines whose change mends it."""

    problem: Problem
    places: tuple[int, ...]


class Proof(Struct, frozen=True):
    """A `declaration` that resolves to `versions`, and the steps that lead to it."""

    declaration: Declaration
    versions: Versions
    steps: tuple[Step, ...]


class Advice(Struct, frozen=True):
    """A sentence for where there is no change to offer."""

    words: str


Remedy = Callable[["Case"], Proof | Advice | None]


class Case(Struct, frozen=True):
    """A refusal of `declaration`.

    `own` are the places of the lines that ask for the problem's package by name, `lines` of all that take part, those
    that come later in the declaration first. `known` are the names of the base. `further` mends what goes wrong next.
    """

    problem: Problem
    declaration: Declaration
    own: tuple[int, ...]
    lines: tuple[int, ...]
    trials: Trials
    known: frozenset[NormalizedName]
    further: Callable[[ResolveError, Declaration], Proof | Advice | None] | None = None

    def line(self, place: int) -> Declared:
        """The line at this place."""
        return entries(self.declaration)[place]

    def proof(self, changes: Mapping[int, Declared], deep: bool = True) -> Proof | None:
        """The proof that all fits with these lines; where `deep`, with what else has to change then."""
        declaration = changed(self.declaration, changes)
        step = Step(self.problem, tuple(changes))
        outcome = self.trials.outcome(declaration)
        if not isinstance(outcome, ResolveError):
            return Proof(declaration, outcome, (step,))
        if not deep or self.further is None:
            return None
        rest = self.further(outcome, declaration)
        return Proof(rest.declaration, rest.versions, (step, *rest.steps)) if isinstance(rest, Proof) else None


def places(found: Problem, said: str, declaration: Declaration) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of the lines that ask for the problem's package, and of those that uv's text names."""
    lines = entries(declaration)
    package = canonicalize_name(found.package) if found.package else None
    own = [place for place, line in enumerate(lines) if canonicalize_name(line.requirement.name) == package]
    named = [lines.index(line) for line in lines_named(said, declaration)[:LINES_NAMED]]
    return tuple(own), tuple(sorted({*own, *named}, reverse=True))
