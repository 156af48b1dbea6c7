"""What the base's own distributions require, read from their metadata; nothing of the base is imported."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from recto.interpreters import Base

Versions = Mapping[NormalizedName, Version]


@dataclass(frozen=True, slots=True)
class BaseDistribution:
    """One distribution of the base: what it requires here, and what it would require with each of its extras."""

    name: NormalizedName
    version: Version
    requires: tuple[Requirement, ...]
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement of a base distribution that the base met and that `has`, put over it, does not meet."""

    name: NormalizedName
    requirement: Requirement
    has: Version


def distributions(base: Base) -> tuple[BaseDistribution, ...]:
    """The base's distributions by name; those whose version is none by PEP 440 are left out: no index has them."""
    found: dict[NormalizedName, BaseDistribution] = {}
    for distribution in importlib.metadata.distributions(path=[str(path) for path in base.site_packages]):
        metadata = distribution.metadata
        name = canonicalize_name(metadata["Name"]) if "Name" in metadata else None
        if name is None or name in found or base.identity.distributions.get(name) != metadata["Version"]:
            continue
        version = parsed_version(metadata["Version"])
        if version is not None:
            extras = tuple(metadata.get_all("Provides-Extra") or ())
            found[name] = BaseDistribution(name, version, tuple(_requirements(distribution.requires or ())), extras)
    return tuple(found[name] for name in sorted(found))


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
        for requirement in _here(distribution, base):
            name = canonicalize_name(requirement.name)
            if name in over and name in under and _met(requirement, under[name]) and not _met(requirement, over[name]):
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
        if any(canonicalize_name(requirement.name) in wanted for requirement in _here(distribution, base))
    )


def parsed_version(text: str | None) -> Version | None:
    """The version that `text` is by PEP 440, or None."""
    try:
        return Version(text or "")
    except InvalidVersion:
        return None


def _here(distribution: BaseDistribution, base: Base) -> list[Requirement]:
    environment = {**base.markers, "extra": ""}
    return [one for one in distribution.requires if one.marker is None or one.marker.evaluate(environment)]


def _met(requirement: Requirement, version: Version) -> bool:
    return requirement.specifier.contains(version, prereleases=True)


def _requirements(lines: Iterable[str]) -> Iterable[Requirement]:
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue  # written before PEP 508, or by hand: it can neither be checked nor resolved
        # Where it once came from does not matter: what is there now is there.
        requirement.url = None
        yield requirement
