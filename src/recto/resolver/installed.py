"""What the base's own distributions require, read from their metadata; nothing of the base is imported."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from email.message import Message
from email.parser import HeaderParser

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from recto.interpreters import Base

Versions = Mapping[NormalizedName, Version]


class BaseDistribution(Struct, frozen=True):
    """One distribution of the base: what it requires here, and what it would require with each of its extras."""

    name: NormalizedName
    version: Version
    requires: tuple[Requirement, ...]
    extras: tuple[str, ...] = ()


class Unmet(Struct, frozen=True):
    """A requirement of a base distribution that the base met and that `has`, put over it, does not meet."""

    name: NormalizedName
    requirement: Requirement
    has: Version


def distributions(base: Base) -> tuple[BaseDistribution, ...]:
    """The base's distributions by name; those whose version is none by PEP 440 are left out: no index has them."""
    found: dict[NormalizedName, BaseDistribution] = {}
    for distribution in importlib.metadata.distributions(path=[str(path) for path in base.site_packages]):
        metadata = _headers(distribution)
        name, text = canonicalize_name(metadata.get("Name", "")), metadata.get("Version")
        version = parsed_version(text)
        if version is not None and name not in found and base.identity.distributions.get(name) == text:
            requires = tuple(_requirements(_required(distribution, metadata)))
            found[name] = BaseDistribution(name, version, requires, tuple(metadata.get_all("Provides-Extra", ())))
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


def _headers(distribution: importlib.metadata.Distribution) -> Message:
    """The fields of its metadata without the description below them, which takes longer to read than all the rest."""
    # The last form is a single file `NAME.egg-info`, as Debian's packages have it.
    texts = (distribution.read_text(name) for name in ("METADATA", "PKG-INFO", ""))
    return HeaderParser().parsestr(next(filter(None, texts), "").partition("\n\n")[0])


def _required(distribution: importlib.metadata.Distribution, metadata: Message) -> Iterable[str]:
    # The older `.egg-info` form has its requirements in a file of its own.
    own_file = "Requires-Dist" not in metadata and distribution.read_text("requires.txt") is not None
    return (distribution.requires or ()) if own_file else metadata.get_all("Requires-Dist", ())


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
