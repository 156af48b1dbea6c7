"""What the base's own distributions require, and which of that does not hold with other versions put over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from recto.interpreters import Base

Versions = Mapping[NormalizedName, Version]


class BaseDistribution(Struct, frozen=True):
    """One distribution of the base.

    `requires` are its requirements by the name of what is required, each as text (PEP 508): those of its extras too. A
    curated base has a thousand, of which few are ever looked at.
    """

    name: NormalizedName
    version: Version
    requires: Mapping[NormalizedName, tuple[str, ...]]
    extras: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> BaseDistribution:
        """What `to_json` wrote; raises ValueError for anything else."""
        match value:
            case {"name": str(name), "version": str(version), "requires": dict(requires), "extras": list(extras)}:
                texts = {canonicalize_name(of): tuple(map(str, lines)) for of, lines in requires.items()}
                return cls(canonicalize_name(name), Version(version), texts, tuple(map(str, extras)))
        raise ValueError("not a description of a distribution")

    def to_json(self) -> dict[str, object]:
        """Its JSON."""
        return {
            "name": self.name,
            "version": str(self.version),
            "requires": self.requires,
            "extras": self.extras,
        }


class Unmet(Struct, frozen=True):
    """A requirement of a base distribution that the base met and that `has`, put over it, does not meet."""

    name: NormalizedName
    requirement: Requirement
    has: Version


def base_versions(base: Base) -> dict[NormalizedName, Version]:
    """The base's versions by normalised name, as far as they are versions by PEP 440."""
    read = {canonicalize_name(name): parsed_version(text) for name, text in base.identity.distributions.items()}
    return {name: version for name, version in read.items() if version is not None}


def unmet(installed: Iterable[BaseDistribution], base: Base, over: Versions) -> tuple[Unmet, ...]:
    """The requirements of the base that the versions put `over` it break, by name of who requires them.

    What was broken before, and what a distribution that is itself put over requires, is not counted.
    """
    under = base_versions(base)
    found = []
    for distribution in installed:
        if over.get(distribution.name, distribution.version) != distribution.version:
            continue
        for name in sorted(distribution.requires.keys() & over.keys() & under.keys()):
            for requirement in _here(distribution, name, base):
                if _met(requirement, under[name]) and not _met(requirement, over[name]):
                    found.append(Unmet(distribution.name, requirement, over[name]))
    return tuple(found)


def mentioning(
    installed: Iterable[BaseDistribution], base: Base, names: Iterable[NormalizedName]
) -> frozenset[NormalizedName]:
    """The base distributions that require one of `names`."""
    wanted = frozenset(names)
    return frozenset(
        distribution.name
        for distribution in installed
        if any(_here(distribution, name, base) for name in distribution.requires.keys() & wanted)
    )


def parsed_version(text: str | None) -> Version | None:
    """The version that `text` is by PEP 440, or None."""
    try:
        return Version(text or "")
    except InvalidVersion:
        return None


def _here(distribution: BaseDistribution, name: NormalizedName, base: Base) -> list[Requirement]:
    """Its requirements of this name whose markers hold for the base."""
    environment = {**base.markers, "extra": ""}
    read = [Requirement(text) for text in distribution.requires[name]]
    return [one for one in read if one.marker is None or one.marker.evaluate(environment)]


def _met(requirement: Requirement, version: Version) -> bool:
    return requirement.specifier.contains(version, prereleases=True)
