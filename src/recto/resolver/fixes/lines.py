"""A line with another name or range; the rest of it stays as its author wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace
from packaging.specifiers import Specifier
from packaging.version import Version

from recto.declaration import Declaration, Declared
from recto.declaration.hashes import split
from recto.declaration.pep508 import parse
from recto.problems import Edit, Fix

_PARTS = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?P<extras>\s*\[[^\]]*\])?"
    r"(?P<gap>\s*)(?P<range>[^;()]*?)(?P<rest>\s*(?:;.*)?)",
    re.DOTALL,
)
_PIN = re.compile(r"(==\s*)([^\s*]+)")


def entries(declaration: Declaration) -> tuple[Declared, ...]:
    """Every line of the declaration; its place here is what a line is known by while lines change."""
    return (*declaration.requirements, *declaration.constraints)


def changed(declaration: Declaration, changes: Mapping[int, Declared]) -> Declaration:
    """The declaration with other lines at these places of its `entries`."""
    lines = [changes.get(place, line) for place, line in enumerate(entries(declaration))]
    count = len(declaration.requirements)
    return replace(declaration, requirements=tuple(lines[:count]), constraints=tuple(lines[count:]))


def text_of(line: Declared) -> str:
    """The requirement as its author wrote it, as far as that is known; without its hashes."""
    return split(line.entry.text)[0] if line.entry else str(line.requirement)


def shown(line: Declared) -> str:
    """The requirement for a sentence: without the space that a continued line has."""
    return " ".join(text_of(line).split())


def can_change(line: Declared) -> bool:
    """Whether another name or version may stand there; hashes do not stay with it, as they belong to one file of one
    version.
    """
    return _PARTS.fullmatch(text_of(line)) is not None


def renamed(line: Declared, name: str) -> Declared:
    """The line with this name in place of its own."""
    parts = _parts(line)
    return _rewritten(line, name + text_of(line)[parts.end("name") :])


def without_range(line: Declared) -> Declared:
    """The line without its range, for every version."""
    return _ranged(line, ())


def allowing(line: Declared, version: Version) -> Declared:
    """The line with the least change that allows the version.

    What of its range the version satisfies stays. A pin becomes a pin of this version: who pins wants one version and
    not any.
    """
    clauses = [clause.strip() for clause in _parts(line)["range"].split(",") if clause.strip()]
    kept = [clause for clause in clauses if Specifier(clause).contains(version, prereleases=True)]
    pinned = (_PIN.fullmatch(clause) for clause in clauses if clause not in kept)
    pins = [f"{pin[1]}{version.public}" for pin in pinned if pin][:1]
    return _ranged(line, (*pins, *kept))


def pinned_version(line: Declared) -> Version | None:
    """The one version that the line allows, None where it allows several."""
    clauses = list(line.requirement.specifier)
    if len(clauses) != 1 or clauses[0].operator != "==" or clauses[0].version.endswith(".*"):
        return None
    return Version(clauses[0].version)


def fix_of(before: Iterable[Declared], after: Iterable[Declared]) -> Fix | None:
    """The edits from the lines before to those after, None where one of them cannot be made for certain."""
    pairs = list(zip(before, after, strict=True))
    edits = [_edits(old, new) for old, new in pairs]
    made = tuple(edit for several in edits for edit in several)
    if not all(edits) or not made or len({(edit.file, edit.line) for edit in made}) < len(made):
        return None
    hashes = ", without its hashes" if any(old.hashes for old, _ in pairs) else ""
    return Fix(f"Write `{shown(pairs[0][1])}`{hashes}", made)


def _edits(old: Declared, new: Declared) -> tuple[Edit, ...]:
    """The edits of one line, with the lines that it goes on over; none where they cannot be made for certain."""
    if old.entry is None or new.entry is None or not new.entry.written or old.source.line is None:
        return ()
    file, first = old.source.file, old.source.line
    whole = Edit(file, first, old.entry.written[0], new.entry.written[0])
    rest = enumerate(old.entry.written[1:], first + 1)
    return (whole, *(Edit(file, number, line, None) for number, line in rest))


def _parts(line: Declared) -> re.Match[str]:
    found = _PARTS.fullmatch(text_of(line))
    if found is None:
        raise ValueError("a line that cannot change")
    return found


def _ranged(line: Declared, clauses: Iterable[str]) -> Declared:
    parts = _parts(line)
    text = ",".join(clauses)
    gap = parts["gap"] if text else ""
    return _rewritten(line, f"{parts['name']}{parts['extras'] or ''}{gap}{text}{parts['rest']}")


def _rewritten(line: Declared, text: str) -> Declared:
    """The line with this text; nowhere written where its file cannot be edited for certain."""
    if line.entry and len(line.entry.written) > 1:
        # It stands on one line from now on.
        text = " ".join(text.split())
    fix = line.entry.amend("", text) if line.entry else None
    written = (fix.edits[0].new or "",) if fix else ()
    entry = replace(line.entry, text=text, written=written) if line.entry else None
    return replace(line, requirement=parse(text), entry=entry, hashes=())
