"""uv's refusal as problems at the lines of the declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.declaration import Declaration, Declared, canonical
from recto.interpreters import Base
from recto.problems import Problem, Source, problem
from recto.problems.diagnosis import clean, diagnose
from recto.resolver.installed import Unmet, base_versions
from recto.resolver.watching import Watch

# Lines that a hint names: a proof over a hundred pins names many, and the first of them tell most.
LINES_NAMED = 4

_OF_THE_INDEX = frozenset({"index-auth", "index-error", "network-tls", "network-timeout", "network-unreachable"})

# A requirement or package of the proof: a name, and perhaps extras and a range.
_WORD = re.compile(r"(?<![\w./-])([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)")


def problems_of(said: str, declaration: Declaration, pinned: Mapping[NormalizedName, Version]) -> tuple[Problem, ...]:
    """The problems of uv's proof, each at the line that asks for its package, the most likely cause first.

    `pinned` are the protected versions that uv was given as constraints: a proof that needs one of them is a
    `protected-conflict`. What is wrong with the index stands at no line, and takes its place: to uv a page that it
    was refused is a package that does not exist.
    """
    causes = diagnose(said)
    of_index = tuple(found for found in causes if found.code in _OF_THE_INDEX)
    if of_index:
        return of_index
    named = lines_named(said, declaration)
    return tuple(_placed(found, named, _constraint(said, named, pinned)) for found in causes)


def clash(unmet: Unmet, declaration: Declaration, base: Base, said: str = "") -> Problem:
    """The problem of a protected package of the base that would stop working."""
    named = lines_named(said, declaration) or lines_named(canonicalize_name(unmet.requirement.name), declaration)
    contested = canonicalize_name(unmet.requirement.name)
    declared = _of(contested, named) or (named[0] if named else None)
    under = base_versions(base)
    return _with_lines(
        problem(
            "protected-conflict",
            package=declared.requirement.name if declared else contested,
            source=declared.source if declared else None,
            reason=f"{unmet.name} {under[unmet.name]} of the base needs {unmet.requirement}, not {unmet.has}",
            version=_version_of(contested, under[contested], declared),
        ),
        named,
    )


def overtime(found: Problem, declaration: Declaration, watch: Watch) -> Problem:
    """The problem of a search that was not done in time, with the lines named that stood against each other."""
    lines = [*declaration.requirements, *declaration.constraints]
    names = watch.fighting({canonicalize_name(line.requirement.name) for line in lines})
    fighters = [line for line in lines if canonicalize_name(line.requirement.name) in names]
    if not fighters:
        return found
    told = replace(found, hint=f"{found.hint} Most of the time went into versions of these that do not fit together:")
    return _with_lines(told, fighters).at(fighters[-1].source)


def shadowed(unmet: Unmet, declaration: Declaration) -> Problem:
    """The warning that a package of the base no longer fits what comes over it, at the line that moved it."""
    name = canonicalize_name(unmet.requirement.name)
    declared = _of(name, [*declaration.requirements, *declaration.constraints])
    cause = canonical(declared.requirement) if declared else name
    return problem(
        "base-shadowed",
        package=unmet.name,
        source=declared.source if declared else None,
        needs=f"{name}{unmet.requirement.specifier}",
        has=f"{name} {unmet.has}",
        cause=f"`{cause}`",
    )


def _placed(found: Problem, named: list[Declared], constraint: tuple[NormalizedName, Version] | None) -> Problem:
    declared = _of(canonicalize_name(found.package), named) if found.package else None
    # uv names a dependency that nobody declared: the line that brought it in is the first that its proof names.
    declared = declared or (named[0] if named else None)
    source = declared.source if declared else None
    if constraint and found.code in ("dependency-conflict", "no-matching-version"):
        name, version = constraint
        return problem(
            "protected-conflict",
            package=declared.requirement.name if declared else found.package or name,
            source=source,
            excerpt=found.excerpt,
            reason=f"the base has {name} {version}",
            version=_version_of(name, version, declared),
        )
    return _with_lines(found.at(source), named) if found.code == "dependency-conflict" else found.at(source)


def _version_of(name: NormalizedName, version: Version, declared: Declared | None) -> str:
    """The version to allow, with its package where that is not the one that the problem is about."""
    about = canonicalize_name(declared.requirement.name) if declared else name
    return str(version) if about == name else f"{version} of `{name}`"


def _with_lines(found: Problem, named: Iterable[Declared]) -> Problem:
    """The problem with every line that takes part named in its hint, where there are several."""
    nearest = _by_place(list(named)[:LINES_NAMED])
    places = [f"`{canonical(one.requirement)}` is at {one.source}" for one in nearest]
    return replace(found, hint=f"{found.hint} {', '.join(places)}.") if len(places) > 1 else found


def _by_place(named: Iterable[Declared]) -> list[Declared]:
    def place(declared: Declared) -> tuple[str, int]:
        source: Source = declared.source
        return (source.file, source.line or 0)

    return sorted(named, key=place)


def lines_named(said: str, declaration: Declaration) -> list[Declared]:
    """The declaration's entries whose package uv's text names, in the order in which it does."""
    words = [canonicalize_name(word) for word in _WORD.findall(clean(said))]
    first = {word: place for place, word in reversed(list(enumerate(words)))}
    entries = [*declaration.requirements, *declaration.constraints]
    found = [entry for entry in entries if canonicalize_name(entry.requirement.name) in first]
    return sorted(found, key=lambda entry: first[canonicalize_name(entry.requirement.name)])


def _of(name: NormalizedName, entries: Iterable[Declared]) -> Declared | None:
    return next((entry for entry in entries if canonicalize_name(entry.requirement.name) == name), None)


def _constraint(
    said: str, named: Iterable[Declared], pinned: Mapping[NormalizedName, Version]
) -> tuple[NormalizedName, Version] | None:
    """The protected pin that the proof needs, unless the declaration asks for that very version itself."""
    own = {canonical(entry.requirement) for entry in named}
    for name, version in pinned.items():
        if f"{name}=={version}" not in own and re.search(rf"\b{re.escape(name)}=={re.escape(str(version))}\b", said):
            return name, version
    return None
