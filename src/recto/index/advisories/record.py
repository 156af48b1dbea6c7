"""One record of the OSV schema (1.x), as far as Python packages are concerned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from packaging.utils import canonicalize_name

from recto.index.advisories.level import Level, level_of, level_of_vector, worst

_ECOSYSTEM = "pypi"
_MALICIOUS = "MAL-"


class Package(Struct, frozen=True):
    """What a record is about: a name in an ecosystem, such as `PyPI`."""

    ecosystem: str
    name: str

    @property
    def is_python(self) -> bool:
        """Whether it is on a Python index. The schema lets a suffix follow, which names a registry."""
        return self.ecosystem.partition(":")[0].lower() == _ECOSYSTEM


class Event(Struct, frozen=True):
    """A point on a line of versions. The schema has one of these in each; records with none have been published."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class Range(Struct, frozen=True):
    """A line of versions with its events. Only the type ECOSYSTEM is in the order of Python versions."""

    type: str
    events: tuple[Event, ...] = ()


class Severity(Struct, frozen=True):
    """A score: a vector where the type begins with `CVSS`."""

    type: str
    score: str


class Affected(Struct, frozen=True):
    """The versions of one package that are concerned, listed or as ranges."""

    package: Package | None = None
    versions: tuple[str, ...] | None = None
    ranges: tuple[Range, ...] | None = None
    severity: tuple[Severity, ...] | None = None


class Record(Struct, frozen=True):
    """What one advisory says. `affected` has no package but those of Python, under their normalised names."""

    # Ids stand in sentences that people read and in logs.
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")]
    modified: str = ""
    withdrawn: datetime | None = None
    aliases: tuple[str, ...] | None = None
    severity: tuple[Severity, ...] | None = None
    affected: tuple[Affected, ...] | None = None
    database_specific: Mapping[str, Any] | None = None

    @property
    def projects(self) -> frozenset[str]:
        """The normalised names of the projects that it concerns."""
        return frozenset(one.package.name for one in self.affected or () if one.package)

    def about(self, project: str) -> tuple[Affected, ...]:
        """What it says of a project, given by its normalised name."""
        return tuple(one for one in self.affected or () if one.package is not None and one.package.name == project)

    @property
    def level(self) -> Level | None:
        """The worst that its CVSS vectors say, else what the database says; None where neither can be read."""
        scores = [*(self.severity or ()), *(each for one in self.affected or () for each in one.severity or ())]
        found = worst(level_of_vector(score.score) for score in scores if score.type.startswith("CVSS"))
        return found or level_of((self.database_specific or {}).get("severity"))


def is_malicious(identifier: str) -> bool:
    """Whether an id is one of those given to packages that were made to do harm."""
    return identifier.startswith(_MALICIOUS)


def about_python(document: object) -> dict[str, Any]:
    """The record without what it says of other ecosystems, fit to be served; empty where that is all of it.

    Names are normalised, and events that say nothing are left out: `uv audit` fails at one, and records with them
    are in the public database. Raises ValueError that says where the record differs from the schema.
    """
    if not isinstance(document, dict):
        raise ValueError("a record is an object")
    record = read_record(document)
    told = document.get("affected") or ()
    affected = [
        _cleaned(raw, one.package.name)
        for raw, one in zip(told, record.affected or (), strict=True)
        if one.package is not None and one.package.is_python
    ]
    return {**document, "affected": affected} if affected else {}


def read_record(document: object) -> Record:
    """The record of a mapping decoded from JSON; raises ValueError that says where it differs from the schema."""
    return msgspec.convert(document, Record)


def _cleaned(affected: Mapping[str, Any], name: str) -> dict[str, Any]:
    ranges = [
        {**line, "events": [event for event in line.get("events") or () if event]}
        for line in affected.get("ranges") or ()
    ]
    return {
        **affected,
        "package": {**affected["package"], "name": canonicalize_name(name), "ecosystem": "PyPI"},
        "ranges": [line for line in ranges if line["events"]],
    }
