"""A refusal with the edits that mend it, as far as they can be found and proven in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from recto.declaration import Declaration, Declared
from recto.problems import Problem, ResolveError, Source, problem
from recto.resolver.fixes.cases import ROUNDS, Advice, Case, Proof, Remedy, Step, places
from recto.resolver.fixes.lines import entries, fix_of, shown
from recto.resolver.fixes.names import meant, misspelt, replaced
from recto.resolver.fixes.ranges import nearest, relaxed, without_dependency
from recto.resolver.fixes.trials import Trials
from recto.resolver.fixes.wheels import wheels_told

# Of each kind, what is tried; the first that is proven counts.
REMEDIES: Mapping[str, tuple[Remedy, ...]] = {
    "no-matching-distribution": (meant, misspelt, without_dependency),
    "no-matching-version": (nearest, relaxed, meant, replaced),
    "no-wheel": (relaxed, meant, replaced),
    "wheel-unsupported": (relaxed, meant, replaced),
    "requires-python": (relaxed,),
    "dependency-conflict": (relaxed,),
    "protected-conflict": (relaxed,),
}
# Problems of the releases that were asked for, which another release of the package may not have.
_OF_ONE_RELEASE = ("no-matching-version", "no-wheel")


def mended(
    error: ResolveError, declaration: Declaration, trials: Trials, known: frozenset[NormalizedName]
) -> ResolveError:
    """The same error, its first problem with the edit that mends it, or with a sentence on what could.

    An edit is offered only where the declaration with it resolves. Where several lines are wrong in turn, the problems
    of all of them are told, each with its own edit, and the edits are proven together.
    """
    first, *others = error.problems
    first = _looked_up(first, declaration, trials)
    found = _mend(ResolveError(first, error.raw), declaration, trials, known, ROUNDS)
    if isinstance(found, Proof):
        told = _told(found.steps, declaration, found.declaration)
    else:
        told = [_saying(first, found.words)] if found else [first]
    head, *more = [_with_facts(one, error.raw, declaration, trials) for one in told]
    return ResolveError([head, *others, *more], error.raw)


def _mend(
    error: ResolveError, declaration: Declaration, trials: Trials, known: frozenset[NormalizedName], rounds: int
) -> Proof | Advice | None:
    found = error.problems[0]
    own, lines = places(found, error.raw, declaration)

    def further(next_error: ResolveError, so_far: Declaration) -> Proof | Advice | None:
        return _mend(next_error, so_far, trials, known, rounds - 1)

    case = Case(found, declaration, own, lines, trials, known, further if rounds > 1 else None)
    advice = None
    for remedy in REMEDIES.get(found.code, ()):
        answer = remedy(case)
        if isinstance(answer, Proof):
            return answer
        advice = answer or advice
    return advice


def _told(steps: Iterable[Step], before: Declaration, after: Declaration) -> list[Problem]:
    """The problems of the steps with their edits; a line that changes in two steps is told once."""
    old, new = entries(before), entries(after)
    told, seen = [], set[int]()
    edited = set[tuple[str, int]]()
    for step in steps:
        if not seen.isdisjoint(step.places):
            continue
        seen.update(step.places)
        fix = fix_of((old[place] for place in step.places), (new[place] for place in step.places))
        where = {(edit.file, edit.line) for edit in fix.edits} if fix else set()
        # Two edits of one line do not go together: its second one has to wait until the first is made.
        usable = fix if edited.isdisjoint(where) else None
        edited |= where
        place = step.places[0]
        told.append(replace(_saying(step.problem, _words(step.problem, old[place], new[place])), fix=usable))
    return told


def _words(found: Problem, old: Declared, new: Declared) -> str:
    at = "" if old.source == found.source else f" at {old.source}"
    hashes = " Its hashes belong to what stood there, and go." if old.hashes else ""
    return f"`{shown(new)}` instead of `{shown(old)}`{at} was tried, and fits.{hashes}"


def _saying(found: Problem, words: str) -> Problem:
    return replace(found, hint=f"{found.hint} {words}")


def _looked_up(found: Problem, declaration: Declaration, trials: Trials) -> Problem:
    """The problem of a version that does not exist, where its package has none at all.

    The cut-off may hide them, and with extras uv says the same of that and of a package that does not exist.
    """
    looked_for = ("no-matching-version", "no-matching-distribution") if declaration.as_of else ("no-matching-version",)
    if found.code not in looked_for or not found.package or trials.newest(_name(found.package)):
        return found
    alone = Declared(Requirement(found.package), found.source or Source(""))
    refusal = trials.outcome(Declaration(requirements=(alone,)))
    if isinstance(refusal, ResolveError) and refusal.problems[0].code == "no-matching-distribution":
        return refusal.problems[0]
    if not declaration.as_of:
        return found
    return problem(
        "no-release-yet",
        package=found.package,
        source=found.source,
        excerpt=found.excerpt,
        day=declaration.as_of.isoformat(),
    )


def _with_facts(found: Problem, said: str, declaration: Declaration, trials: Trials) -> Problem:
    """The problem with which wheels there are, and the newest version that this base could have."""
    if found.package is None:
        return found
    if found.code == "wheel-unsupported":
        told = wheels_told(said, found.package)
        return _saying(found, told) if told else found
    version = trials.newest(_name(found.package)) if found.code in _OF_ONE_RELEASE else None
    by = f" by {declaration.as_of}" if declaration.as_of else ""
    return _saying(found, f"The newest that can be installed here{by} is {version}.") if version else found


def _name(package: str) -> str:
    return canonicalize_name(package)
