"""What a lock means over a base: what is installed, taken from the base, replaced in it, and relied on."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.pylock import Package, Pylock
from packaging.utils import NormalizedName

from recto.interpreters import Base
from recto.policy.model import FromBase, Installed, Plan, Replaced
from recto.resolver.installed import BaseDistribution, Versions, base_versions, mentioning


def plan(lock: Pylock, base: Base, versions: Versions) -> Plan:
    """The plan for an answer of these `versions`: what the base has in the same version is taken from it."""
    kept = {name for name, version in base_versions(base).items() if versions.get(name) == version}
    packages = {package.name: package for package in lock.packages}
    return Plan(
        install=tuple(_installed(packages[name]) for name in sorted(packages) if name not in kept),
        from_base=tuple(FromBase(name, base.identity.distributions[name]) for name in sorted(kept)),
        replaces=replaced(base, {name: versions[name] for name in versions if name not in kept}),
    )


def whole(lock: Pylock, base: Base) -> Plan:
    """The plan of a lock that is installed exactly, whatever the base has: its files are not verified by hash."""
    packages = sorted(lock.packages, key=lambda package: package.name)
    return Plan(
        install=tuple(_installed(package) for package in packages),
        replaces=replaced(base, versions_of(lock)),
    )


def replaced(base: Base, over: Versions) -> tuple[Replaced, ...]:
    """The base distributions that `over` shadows with another version."""
    under = base.identity.distributions
    return tuple(
        Replaced(name, under[name], str(over[name]))
        for name in sorted(over)
        if name in under and under[name] != str(over[name])
    )


def leaned(
    made: Plan, base: Base, installed: Iterable[BaseDistribution], protected: Iterable[NormalizedName]
) -> dict[str, str]:
    """The base distributions (name to version) that the plan relies on.

    Those taken from the base, the protected ones, and those that require something that is replaced: a later version
    of one of them could need another answer.
    """
    shadowed = frozenset(NormalizedName(item.name) for item in made.replaces)
    names = {item.name for item in made.from_base} | set(protected) | mentioning(installed, base, shadowed)
    versions = base.identity.distributions
    return {name: versions[name] for name in sorted(names - shadowed) if name in versions}


def versions_of(lock: Pylock) -> Versions:
    """The versions of a lock by normalised name."""
    return {package.name: package.version for package in lock.packages if package.version is not None}


def _installed(package: Package) -> Installed:
    file = package.wheels[0] if package.wheels else package.sdist
    return Installed(package.name, str(package.version), file.size if file else None)
