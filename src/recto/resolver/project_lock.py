"""A project's own `pylock.toml`: nothing is resolved, all of it is installed exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError
from packaging.utils import NormalizedName
from packaging.version import Version

from recto.interpreters import Base, check_python
from recto.problems import Problem, ResolveError, Source, problem
from recto.resolver.locking import environment, sha256_of, tags, without_userinfo


def selected(lock: Pylock, source: Source | None, base: Base, pinned: Mapping[NormalizedName, Version]) -> Pylock:
    """The part of the project's lock that is for this base, one wheel a distribution, by name.

    Raises BaseError where the lock is for another Python, ResolveError where it is for another environment, has no
    wheel that fits, one without a SHA-256, or another version of a protected package than the base (`pinned`).
    """
    check_python(base, lock.requires_python, source)
    _select(replace(lock, packages=[]), base, source)
    chosen = [_exactly(lock, package, base, pinned) for package in lock.packages]
    problems = [one.at(source) for one in chosen if isinstance(one, Problem)]
    if problems:
        raise ResolveError(problems)
    packages = sorted((one for one in chosen if isinstance(one, Package)), key=lambda package: package.name)
    found = replace(
        lock, packages=packages, environments=None, extras=None, dependency_groups=None, default_groups=None
    )
    _select(found, base, source)
    return found


def _select(lock: Pylock, base: Base, source: Source | None) -> None:
    """Raises ResolveError where the lock is not for this environment, or names a distribution twice for it."""
    try:
        list(lock.select(environment=environment(base), tags=tags(base)))
    except PylockSelectError as error:
        raise ResolveError(problem("declaration-lock", source=source, reason=str(error).rstrip("."))) from error


def _exactly(
    lock: Pylock, package: Package, base: Base, pinned: Mapping[NormalizedName, Version]
) -> Package | Problem | None:
    """The package with the wheel that fits, what is wrong with it, or None where its marker does not hold here."""
    name = package.name
    single = replace(lock, packages=[replace(package, sdist=None) if package.wheels else package], environments=None)
    try:
        files = [file for _, file in single.select(environment=environment(base), tags=tags(base))]
    except PylockSelectError:
        return problem("wheel-unsupported", package=name)
    if not files:
        return None
    wheel = files[0]
    if not isinstance(wheel, PackageWheel) or wheel.url is None:
        return problem("no-wheel", package=name, wanted=f"{name}=={package.version}")
    if sha256_of(wheel) is None:
        return problem("declaration-lock", package=name, reason=f"`{wheel.filename}` has no SHA-256")
    if pinned.get(name, package.version) != package.version:
        reason = f"the base has {name} {pinned[name]}, and the lock {package.version}"
        return problem("protected-conflict", package=name, reason=reason, version=pinned[name])
    wheel = replace(wheel, url=without_userinfo(wheel.url))
    return replace(package, wheels=[wheel], sdist=None, marker=None, dependencies=None, index=None)
