"""Remedies that change a range: the nearest version that exists, or one that all lines can live with."""

from __future__ import annotations

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from recto.declaration import Declared
from recto.problems import ResolveError
from recto.resolver.fixes.cases import Advice, Case, Proof
from recto.resolver.fixes.lines import allowing, can_change, changed, entries, pinned_version, text_of, without_range
from recto.resolver.installed import Versions

# What concerns the author's two lines alike is mended at either; the others are wrong at one.
_OF_SEVERAL = ("dependency-conflict", "protected-conflict")
# Numbers of a version that names one release and no series.
_WHOLE_RELEASE = 3


def nearest(case: Case) -> Proof | None:
    """A pin of a version that does not exist: the newest of its series, else the newest one below it.

    `==1.3` often means whatever 1.3 there is, and a candidate of a release that is long out means that release.
    """
    for place in case.own:
        line = case.line(place)
        wanted = pinned_version(line)
        if wanted is None or not can_change(line):
            continue
        name, release = line.requirement.name, wanted.base_version
        series = case.trials.newest(f"{name}=={release}.*") if len(wanted.release) < _WHOLE_RELEASE else None
        version = series or case.trials.newest(f"{name}<={release}")
        proof = case.proof({place: allowing(line, version)}) if version else None
        if proof:
            return proof
    return None


def relaxed(case: Case) -> Proof | Advice | None:
    """The one line whose range can give way: the later one first, and each alone before several together.

    It is asked for without its range, and then written with as much of the range as holds for the version that fits.
    """
    candidates = [place for place in _places(case) if _ranged(case.line(place)) and not _settled(case, place)]
    for deep in (False, True):
        for place in candidates:
            proof = _relaxed(case, place, deep)
            if proof:
                return proof
    if not candidates or not case.trials.decided:
        return None
    names = dict.fromkeys(f"`{case.line(place).requirement.name}`" for place in reversed(candidates))
    return Advice(f"Another version of {' or of '.join(names)} is not enough.")


def without_dependency(case: Case) -> Proof | Advice | None:
    """Another version of who needs a package that does not exist; whoever asks for one by name has another remedy."""
    return None if case.own else relaxed(case)


def _places(case: Case) -> tuple[int, ...]:
    return case.lines if case.problem.code in _OF_SEVERAL or not case.own else case.own


def _ranged(line: Declared) -> bool:
    return bool(line.requirement.specifier) and can_change(line)


def _settled(case: Case, place: int) -> bool:
    """Whether the line is not the one that is wrong, and its hashes say that it means this very file."""
    return bool(case.line(place).hashes) and (case.problem.code in _OF_SEVERAL or place not in case.own)


def _relaxed(case: Case, place: int, deep: bool) -> Proof | None:
    line = case.line(place)
    change = {place: without_range(line)}
    if deep and _still_wrong(line, case.trials.outcome(changed(case.declaration, change))):
        return None
    bare = case.proof(change, deep)
    version = bare.versions.get(canonicalize_name(line.requirement.name)) if bare else None
    if bare is None or version is None:
        return bare
    # In place of the line without a range, which a later step may have changed again.
    if entries(bare.declaration)[place].requirement.name != line.requirement.name:
        return bare
    narrowed = allowing(line, version)
    if text_of(narrowed) == text_of(line):
        return None  # its range holds for the answer too: another line gave way
    declaration = changed(bare.declaration, {place: narrowed})
    outcome = case.trials.outcome(declaration)
    return bare if isinstance(outcome, ResolveError) else replace(bare, declaration=declaration, versions=outcome)


def _still_wrong(line: Declared, outcome: Versions | ResolveError) -> bool:
    """Whether no version of the line's package will do: another line's change does not help it."""
    package = outcome.problems[0].package if isinstance(outcome, ResolveError) else None
    return package is not None and canonicalize_name(package) == canonicalize_name(line.requirement.name)
