"""One requirement as PEP 508 writes it, less what a declaration may not say."""

from __future__ import annotations

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from recto.declaration.caps import LINE_CHARACTERS, PARENTHESES

# Only to find markers that no interpreter can answer. Complete, so that the answer does not depend on our own.
_SOME_INTERPRETER = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1.0",
    "platform_system": "Linux",
    "platform_version": "1",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}


class NotARequirement(ValueError):
    """Why a text is not a requirement that can be declared, in words that end a sentence."""


def parse(text: str) -> Requirement:
    """The requirement; raises NotARequirement for what PEP 508 does not allow, an address, `===`, or a void marker."""
    if len(text) > LINE_CHARACTERS or text.count("(") > PARENTHESES:
        raise NotARequirement("it is too long or too deeply nested")
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise NotARequirement(_in_words(str(error).partition("\n")[0])) from None
    if requirement.url is not None:
        raise NotARequirement("it names an address")
    if any(clause.operator == "===" for clause in requirement.specifier):
        raise NotARequirement("`===` compares letters instead of versions")
    if requirement.marker is not None:
        _answerable(requirement.marker)
    return requirement


def canonical(requirement: Requirement) -> str:
    """One spelling for every way to write the same requirement."""
    extras = ",".join(sorted({canonicalize_name(extra) for extra in requirement.extras}))
    specifier = ",".join(sorted(str(clause) for clause in requirement.specifier))
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{canonicalize_name(requirement.name)}{f'[{extras}]' if extras else ''}{specifier}{marker}"


def _in_words(complaint: str) -> str:
    if complaint.startswith("Expected package name"):
        return "it does not begin with a package name"
    if complaint.startswith(("Expected semicolon", "Expected comma", "Expected end")):
        return "what follows the name is not a version range"
    if complaint.startswith("Expected matching"):
        return "a bracket is opened and never closed"
    if complaint.startswith(("Expected a marker", "Expected marker")):
        return 'what follows `;` is not a condition such as `python_version < "3.12"`'
    return complaint[:1].lower() + complaint[1:].rstrip(".").replace("`", "")


def _answerable(marker: Marker) -> None:
    try:
        marker.evaluate(_SOME_INTERPRETER, context="requirement")
    except UndefinedEnvironmentName:
        raise NotARequirement("the condition after `;` asks for an extra, which means nothing here") from None
    except UndefinedComparison:
        raise NotARequirement("the condition after `;` compares what cannot be compared") from None
