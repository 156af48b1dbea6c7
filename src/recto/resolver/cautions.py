"""uv's warnings about an answer, as problems that stop nothing, at the lines that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from recto.declaration import Declaration, Declared
from recto.policy.model import Plan
from recto.problems import Problem, problem
from recto.problems.diagnosis import clean

_NO_EXTRA = re.compile(
    r"^warning: The package `([\w.-]+)==(\S+)` does not have an extra named `([\w.-]+)`", re.MULTILINE
)
_YANKED = re.compile(r'^warning: `([\w.-]+)==(\S+)` is yanked(?: \(reason: "(.*)"\))?', re.MULTILINE)


def cautions(said: str, declaration: Declaration, plan: Plan) -> tuple[Problem, ...]:
    """What uv `said` about extras that the declaration asks for in vain, and withdrawn releases that are installed."""
    text = clean(said)
    return (*dict.fromkeys(_extras(text, declaration)), *dict.fromkeys(_yanked(text, declaration, plan)))


def _extras(text: str, declaration: Declaration) -> Iterator[Problem]:
    for package, version, extra in _NO_EXTRA.findall(text):
        for declared in declaration.requirements:
            asked = {canonicalize_name(one) for one in declared.requirement.extras}
            # A dependency's vain extra is not the author's.
            if _names(declared, package) and canonicalize_name(extra) in asked:
                yield problem("extra-unknown", package=package, version=version, extra=extra, source=declared.source)


def _yanked(text: str, declaration: Declaration, plan: Plan) -> Iterator[Problem]:
    installed = {(item.name, item.version) for item in plan.install}
    for package, version, reason in _YANKED.findall(text):
        if (canonicalize_name(package), version) in installed:
            entries = (*declaration.requirements, *declaration.constraints)
            source = next((one.source for one in entries if _names(one, package)), None)
            words = reason.rstrip(". ") or "no reason was given"
            yield problem("release-yanked", package=package, version=version, reason=words, source=source)


def _names(declared: Declared, package: str) -> bool:
    return canonicalize_name(declared.requirement.name) == canonicalize_name(package)
