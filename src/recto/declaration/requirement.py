"""One entry to one requirement, or to what is wrong with it."""

from __future__ import annotations

from msgspec.structs import replace
from packaging.requirements import Requirement

from recto.declaration import hashes
from recto.declaration.caps import LINE_CHARACTERS
from recto.declaration.entry import Entry
from recto.declaration.model import Declared
from recto.declaration.part import Part, wrong
from recto.declaration.pep508 import NotARequirement, canonical, parse
from recto.declaration.stdlib import is_backport, is_stdlib
from recto.problems import Problem

_AFTER_NAME = frozenset("<>=!~ ")
_COMPARISONS = ("==", ">", "<", "~=", "!=")
_OF_VERSIONS = frozenset("0123456789.,*<>=!~ ")


def read_entry(entry: Entry, constraint: bool = False) -> Part:
    """What the entry asks for, as a requirement or as a constraint; all that is wrong with it is in `problems`."""
    text, options = hashes.split(entry.text)
    if len(text) > LINE_CHARACTERS:
        return wrong(_too_long(entry, text))
    if (options or len(entry.written) > 1 or not is_plain(text)) and (refusal := _refusal(entry, text)):
        return wrong(refusal)
    try:
        requirement = parse(text)
    except NotARequirement as reason:
        from recto.declaration.mends import near_miss

        return wrong(near_miss(entry, text, str(reason)))
    digests, problems = hashes.read(entry, options)
    if digests and (unpinned := hashes.unpinned(entry, requirement)):
        problems = (*problems, unpinned)
    if problems:
        return wrong(*problems)
    declared = Declared(requirement, entry.source, digests, entry)
    return _constraint(entry, declared, options) if constraint else _requirement(entry, declared)


def is_plain(text: str) -> bool:
    """Whether the text is a name and versions in numbers alone, as most are: no refusal knows such a line."""
    end = next((position for position, letter in enumerate(text) if letter in _AFTER_NAME), len(text))
    name, versions = text[:end], text[end:].lstrip(" ")
    if not (name[:1].isalpha() and name.isascii() and name.replace("-", "_").isidentifier()):
        return False
    return not versions or (versions.startswith(_COMPARISONS) and _OF_VERSIONS.issuperset(versions))


def _refusal(entry: Entry, text: str) -> Problem | None:
    # Here, because its patterns take 15 ms to compile.
    from recto.declaration.refusals import first_refusal

    # Only hashes make a line this long, and the refusals know lines, not books.
    return first_refusal(replace(entry, text=text, written=()) if len(entry.text) > LINE_CHARACTERS else entry)


def _too_long(entry: Entry, text: str) -> Problem:
    size, most = f"{len(text):,} characters", f"{LINE_CHARACTERS:,}"
    return entry.refused("declaration-too-large", file="this entry", size=size, most=most)


def _requirement(entry: Entry, declared: Declared) -> Part:
    name = declared.requirement.name
    if not is_stdlib(name):
        return Part(requirements=(declared,))
    if is_backport(name):
        remark = entry.refused("stdlib-backport", entry.delete(), package=name)
        return Part(requirements=(declared,), remarks=(remark,))
    return wrong(entry.refused("stdlib-name", entry.delete(), package=name))


def _constraint(entry: Entry, declared: Declared, options: str) -> Part:
    if not declared.requirement.extras:
        return Part(constraints=(declared,))
    bare = Requirement(str(declared.requirement))
    bare.extras = set()
    better = canonical(bare)
    return wrong(
        entry.refused(
            "invalid-requirement",
            entry.rewrite("Remove the extras", better + options),
            line=str(declared.requirement),
            reason="a constraint cannot have extras",
            suggestion=better,
        )
    )
