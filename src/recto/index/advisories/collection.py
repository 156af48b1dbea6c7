"""A set of advisories: one loaded state, in little memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from packaging.version import Version

from recto.index.advisories.level import Level, worst
from recto.index.advisories.record import about_python, is_malicious, read_record
from recto.index.advisories.timeline import Advisory, Timeline

# Projects whose advisories are kept unpacked. The largest, `tensorflow`, takes about 200 kB so.
_UNPACKED = 128
# Answers that are kept: a page has many files of each version.
_VERSIONS = 8192


class Packed(Struct, frozen=True):
    """A record on its way in: what the others have to be compared with, and its text; none where it was withdrawn."""

    id: str
    modified: str
    aliases: tuple[str, ...]
    projects: frozenset[str]
    level: Level | None
    text: bytes | None
    digest: bytes


class Kept(Struct, frozen=True):
    """One advisory with its record, packed."""

    advisory: Advisory
    modified: str
    text: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The record as the schema has it."""
        document: dict[str, Any] = msgspec.json.decode(zlib.decompress(self.text))
        return document


class Advisories:
    """What is known, by project and by id. It never changes; a new state is a new one.

    `digest` names its content: the same records give the same, however they were stored.
    """

    def __init__(self, kept: Mapping[str, Kept], by_project: Mapping[str, tuple[str, ...]], digest: str) -> None:
        self.digest = digest
        self._kept = kept
        self._by_project = by_project
        # Neither holds this object, so that a state that was exchanged for another goes at once.
        timelines = lru_cache(maxsize=_UNPACKED)(partial(_timeline, kept, by_project))
        self._at = lru_cache(maxsize=_VERSIONS)(lambda project, version: timelines(project).at(version))

    def __len__(self) -> int:
        return len(self._kept)

    def about(self, project: str) -> tuple[Kept, ...]:
        """All of a project, given by its normalised name, in the order of their ids."""
        return tuple(self._kept[identifier] for identifier in self._by_project.get(project, ()))

    def known(self, project: str) -> bool:
        """Whether there is any about the project, given by its normalised name."""
        return project in self._by_project

    def at(self, project: str, version: Version) -> tuple[Advisory, ...]:
        """Those that hold for this version of the project, the worst first."""
        return self._at(project, version) if project in self._by_project else ()

    def find(self, identifier: str) -> Kept | None:
        """That of the id, or None."""
        return self._kept.get(identifier)

    def only(self, *, malicious: bool) -> Advisories:
        """Those about malicious packages, or those about vulnerable ones."""
        by_project = {}
        for project, ids in self._by_project.items():
            some = tuple(identifier for identifier in ids if is_malicious(identifier) == malicious)
            if some:
                by_project[project] = ids if some == ids else some
        kept = {identifier: kept for identifier, kept in self._kept.items() if is_malicious(identifier) == malicious}
        return Advisories(kept, by_project, self.digest)


def _timeline(kept: Mapping[str, Kept], by_project: Mapping[str, tuple[str, ...]], project: str) -> Timeline:
    told = [(kept[identifier].advisory, read_record(kept[identifier].document)) for identifier in by_project[project]]
    return Timeline((advisory, record.about(project)) for advisory, record in told)


def pack(document: object) -> Packed | None:
    """An OSV record, decoded from JSON; None where it is about no Python package. Raises ValueError that says why."""
    told = about_python(document)
    if not told:
        return None
    record = read_record(told)
    data = msgspec.json.encode(told, order="sorted")
    return Packed(
        id=record.id,
        modified=record.modified,
        aliases=record.aliases or (),
        projects=record.projects,
        level=record.level,
        text=zlib.compress(data) if record.withdrawn is None else None,
        digest=sha256(data).digest(),
    )


def collect(records: Iterable[Packed | None]) -> Advisories:
    """The advisories in these, without those that were withdrawn. Of two with one id, the later modified counts."""
    newest: dict[str, Packed] = {}
    for record in records:
        if record is not None and (record.id not in newest or newest[record.id].modified <= record.modified):
            newest[record.id] = record
    return _joined([record for _, record in sorted(newest.items())])


def _joined(records: list[Packed]) -> Advisories:
    """Severity that a record does not give is that of its other names: PyPA's give none, GitHub's of the same do."""
    levels = {record.id: record.level for record in records if record.text is not None}
    named = _other_names(records)
    kept: dict[str, Kept] = {}
    by_project: dict[str, tuple[str, ...]] = {}
    digest = sha256()
    for record in records:
        if record.text is None:
            continue
        level = record.level or worst(levels.get(name) for name in named[record.id]) or Level.CRITICAL
        kept[record.id] = Kept(Advisory(record.id, level), record.modified, record.text)
        digest.update(record.digest)
        for project in record.projects:
            by_project[project] = (*by_project.get(project, ()), record.id)
    return Advisories(kept, by_project, digest.hexdigest())


def _other_names(records: list[Packed]) -> dict[str, set[str]]:
    """Ids of the same thing: named as an alias by either of two, or by both with a third name such as a CVE's."""
    by_name: dict[str, set[str]] = {}
    for record in records:
        for name in (record.id, *record.aliases):
            by_name.setdefault(name, set()).add(record.id)
    return {record.id: set().union(*(by_name[name] for name in (record.id, *record.aliases))) for record in records}


NONE = collect(())
