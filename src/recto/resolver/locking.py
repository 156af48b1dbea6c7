"""uv's lock as Recto's: one wheel a distribution, the one that fits best, with size and hash and no credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from packaging.markers import Environment
from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError
from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.declaration.model import Declared
from recto.interpreters import Base
from recto.problems import Problem, ResolveError, problem


@dataclass(frozen=True, slots=True)
class Allowed:
    """The hashes (`algorithm:hexdigest`) that a file of one distribution may have, and who says so."""

    hashes: frozenset[str]
    declared: Declared


def allowed_hashes(requirements: Iterable[Declared]) -> dict[NormalizedName, Allowed]:
    """What the declaration's `--hash` entries allow, by normalised name; a name without entries allows every file."""
    found: dict[NormalizedName, Allowed] = {}
    for declared in requirements:
        if declared.hashes:
            name = canonicalize_name(declared.requirement.name)
            before = found[name].hashes if name in found else frozenset()
            found[name] = Allowed(before | {text.lower() for text in declared.hashes}, declared)
    return found


def locked(lock: Pylock, base: Base, allowed: Mapping[NormalizedName, Allowed]) -> Pylock:
    """The lock with exactly the files that would be downloaded; the wheels keep their sizes and upload times.

    Distributions that only the base has, in a version that the index has not (or not by the release cut-off), are left
    out: there is no file to lock. Raises ResolveError with all that is wrong: a file without a SHA-256, a hash that is
    not among those required, nothing that fits.
    """
    packages, problems = [], []
    for package in lock.packages:
        found = _locked(package, base, allowed.get(package.name))
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            packages.append(found)
    if problems:
        raise ResolveError(problems)
    return Pylock(
        lock_version=Version("1.0"),
        created_by="recto",
        requires_python=lock.requires_python,
        packages=packages,
    )


def best_wheel(package: Package, base: Base) -> PackageWheel | None:
    """The wheel of this package that an installer would take for this base, or None where none fits."""
    single = Pylock(lock_version=Version("1.0"), created_by="recto", packages=[replace(package, marker=None)])
    try:
        selected = [file for _, file in single.select(environment=environment(base), tags=tags(base))]
    except PylockSelectError:
        return None
    return next((file for file in selected if isinstance(file, PackageWheel)), None)


def environment(base: Base) -> Environment:
    """The base's complete marker environment, as `packaging` types it."""
    return cast("Environment", dict(base.markers))


def tags(base: Base) -> list[Tag]:
    """The base's wheel tags, best first."""
    return [Tag(*text.split("-")) for text in base.tags]


def sha256_of(wheel: PackageWheel) -> str | None:
    """The file's SHA-256 in hexadecimal digits, lower case."""
    digest = wheel.hashes.get("sha256")
    return digest.lower() if digest else None


def without_userinfo(url: str) -> str:
    """The address without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _hashes(wheel: PackageWheel) -> frozenset[str]:
    return frozenset(f"{algorithm}:{digest}".lower() for algorithm, digest in wheel.hashes.items())


def _locked(package: Package, base: Base, allowed: Allowed | None) -> Package | Problem | None:
    wheels = [wheel for wheel in package.wheels or () if wheel.url and not wheel.url.startswith("file:")]
    if not wheels:
        return None if package.wheels else problem("no-wheel", package=package.name)
    if allowed:
        wheels = [wheel for wheel in wheels if not _hashes(wheel).isdisjoint(allowed.hashes)]
        if not wheels:
            return problem("hash-mismatch", package=package.name, source=allowed.declared.source)
    wheel = best_wheel(replace(package, wheels=wheels, sdist=None), base)
    if wheel is None:
        return problem("wheel-unsupported", package=package.name)
    if sha256_of(wheel) is None or wheel.url is None:
        return problem("index-error", package=package.name, excerpt=f"no SHA-256 for {wheel.filename}")
    wheel = replace(wheel, url=without_userinfo(wheel.url))
    return replace(package, wheels=[wheel], sdist=None, index=None, marker=None, dependencies=None)
