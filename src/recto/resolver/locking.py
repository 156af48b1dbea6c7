"""uv's lock as Recto's: one wheel a distribution, the one that fits best, with size and hash and no credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct
from packaging.markers import Environment
from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock, PylockSelectError
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.declaration.model import Declared
from recto.interpreters import Base
from recto.problems import Problem, ResolveError, problem


class Allowed(Struct, frozen=True):
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


def locked(lock: Pylock, base: Base, allowed: Mapping[NormalizedName, Allowed], sources: bool = False) -> Pylock:
    """The lock with exactly the files that would be downloaded; the wheels keep their sizes and upload times.

    Distributions that only the base has, in a version that the index has not (or not by the release cut-off), are left
    out: there is no file to lock. With `sources`, what has no wheel for the base is locked as its source. Raises
    ResolveError with all that is wrong: a file without a SHA-256, a hash that is not among those required, nothing that
    fits.
    """
    offered = [_offered(package, allowed.get(package.name), sources) for package in lock.packages]
    problems = [one for one in offered if isinstance(one, Problem)]
    packages = [one for one in offered if isinstance(one, Package)]
    wheels = best_wheels(packages, base)
    chosen = [_locked(package, wheels.get(package.name)) for package in packages]
    problems += [one for one in chosen if isinstance(one, Problem)]
    if problems:
        raise ResolveError(problems)
    return _lock_of([one for one in chosen if isinstance(one, Package)], lock.requires_python)


def best_wheels(packages: Sequence[Package], base: Base) -> dict[NormalizedName, PackageWheel]:
    """By name the wheel that an installer would take for this base; a name is missing where no wheel fits."""
    machine, fitting = environment(base), tags(base)

    def select(some: Sequence[Package]) -> dict[NormalizedName, PackageWheel]:
        selected = _lock_of(some).select(environment=machine, tags=fitting)
        return {package.name: file for package, file in selected if isinstance(file, PackageWheel)}

    try:
        return select(packages)
    except PylockSelectError:
        found: dict[NormalizedName, PackageWheel] = {}
        for package in packages:
            with suppress(PylockSelectError):  # of this one no wheel fits
                found |= select([package])
        return found


def environment(base: Base) -> Environment:
    """The base's complete marker environment, as `packaging` types it."""
    return cast("Environment", dict(base.markers))


def tags(base: Base) -> list[Tag]:
    """The base's wheel tags, best first."""
    return [Tag(*text.split("-")) for text in base.tags]


def sha256_of(wheel: PackageWheel | PackageSdist) -> str | None:
    """The file's SHA-256 in hexadecimal digits, lower case."""
    digest = wheel.hashes.get("sha256")
    return digest.lower() if digest else None


def without_userinfo(url: str) -> str:
    """The address without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _of_the_index(file: PackageWheel | PackageSdist) -> bool:
    """Whether it is a file that can be fetched, and no stand-in of the base."""
    return bool(file.url) and not (file.url or "").startswith("file:")


def _hashes(wheel: PackageWheel | PackageSdist) -> frozenset[str]:
    return frozenset(f"{algorithm}:{digest}".lower() for algorithm, digest in wheel.hashes.items())


def _lock_of(packages: Sequence[Package], requires_python: SpecifierSet | None = None) -> Pylock:
    return Pylock(
        lock_version=Version("1.0"), created_by="recto", requires_python=requires_python, packages=list(packages)
    )


def _offered(package: Package, allowed: Allowed | None, sources: bool) -> Package | Problem | None:
    """The package with the files of the index that are allowed, what is wrong with it, or None where it has none."""
    source = package.sdist if sources and package.sdist is not None and _of_the_index(package.sdist) else None
    wheels = [wheel for wheel in package.wheels or () if _of_the_index(wheel)]
    if not wheels and (source is None or package.wheels):
        wanted = f"{package.name}=={package.version}"
        return None if package.wheels else problem("no-wheel", package=package.name, wanted=wanted)
    if allowed:
        wheels = [wheel for wheel in wheels if not _hashes(wheel).isdisjoint(allowed.hashes)]
        source = source if source is not None and not _hashes(source).isdisjoint(allowed.hashes) else None
        if not wheels and source is None:
            return problem("hash-mismatch", package=package.name, source=allowed.declared.source)
    return replace(package, wheels=wheels, sdist=source, index=None, marker=None, dependencies=None)


def _locked(package: Package, wheel: PackageWheel | None) -> Package | Problem:
    file = package.sdist if wheel is None else wheel
    if file is None:
        return problem("wheel-unsupported", package=package.name)
    if sha256_of(file) is None:
        return problem("index-error", package=package.name, excerpt=f"no SHA-256 for {file.filename}")
    plain = replace(file, url=without_userinfo(file.url or ""))
    if isinstance(plain, PackageSdist):
        return replace(package, wheels=None, sdist=plain)
    return replace(package, wheels=[plain], sdist=None)
