"""Remedies that change a name: an import name, a misspelt one, a package that is only there as source."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from recto.problems.modules import distribution_for
from recto.resolver.fixes.alternatives import ALIASES, ALTERNATIVES
from recto.resolver.fixes.cases import Advice, Case, Proof
from recto.resolver.fixes.known import KNOWN
from recto.resolver.fixes.lines import can_change, renamed, without_range
from recto.resolver.fixes.spelling import clearly_nearest, near_distributions

# Names that a hint lists; more would be guessing.
_LISTED = 3


def meant(case: Case) -> Proof | Advice | None:
    """The package that is known to be meant by the name: that of an import, or of a habit."""
    name = _name(case)
    better = _meant(name) if name else None
    if better is None:
        return None
    return _called(case, better) or (Advice(f"The package is `{better}`.") if case.trials.newest(better) else None)


def misspelt(case: Case) -> Proof | Advice | None:
    """The known package whose name is clearly the nearest; where that is not proven, those that are near are listed."""
    name = _name(case)
    if name is None or _meant(name):
        return None
    ranked = near_distributions(name, case.known | KNOWN)
    best = clearly_nearest(ranked)
    proof = _called(case, best) if best else None
    if proof:
        return proof
    exist = [one for one, _ in ranked[:_LISTED] if case.trials.newest(one)]
    return Advice(f"Packages with a name like it: {', '.join(f'`{one}`' for one in exist)}.") if exist else None


def replaced(case: Case) -> Proof | Advice | None:
    """The package that has wheels where this one has none: an edit where code need not change, else a sentence."""
    name = _name(case)
    alternative = ALTERNATIVES.get(canonicalize_name(name)) if name else None
    if alternative is None:
        return None
    proof = _called(case, alternative.name) if alternative.same_import else None
    if proof:
        return proof
    exists = case.trials.newest(alternative.name)
    return Advice(f"`{alternative.name}` has wheels: {alternative.reason}.") if exists else None


def _name(case: Case) -> str | None:
    """The name as it is written, None where nobody wrote it."""
    return case.line(case.own[0]).requirement.name if case.own else None


def _meant(name: str) -> str | None:
    found = [ALIASES.get(canonicalize_name(name)), *map(distribution_for, (name, name.lower(), name.upper()))]
    return next((one for one in found if one and canonicalize_name(one) != canonicalize_name(name)), None)


def _called(case: Case, name: str) -> Proof | None:
    """The proof with every line of the name under another one: with its range, or where that is unheard of without."""
    lines = {place: case.line(place) for place in case.own}
    if not all(map(can_change, lines.values())):
        return None
    with_range = {place: renamed(line, name) for place, line in lines.items()}
    return case.proof(with_range) or case.proof({place: without_range(line) for place, line in with_range.items()})
