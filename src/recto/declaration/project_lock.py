"""The project's own `pylock.toml` (PEP 751): what is installed exactly, hashes enforced."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.pylock import Package, PackageWheel, Pylock, PylockValidationError
from packaging.utils import canonicalize_name

from recto.declaration.caps import LOCK_BYTES
from recto.declaration.model import Declared
from recto.declaration.reading import text_of
from recto.declaration.showing import shown
from recto.declaration.text import Unreadable, lines_of
from recto.declaration.toml import line_of, load
from recto.problems import Problem, Source, problem

FILE = "pylock.toml"


def read_lock(data: bytes) -> tuple[Pylock | None, tuple[Problem, ...]]:
    """The lock, or None and why it cannot be used: every package must have wheels of an index, each with a SHA-256."""
    text = text_of(FILE, data, LOCK_BYTES)
    if isinstance(text, Problem):
        return None, (text,)
    try:
        lock = Pylock.from_dict(load(text))
    except (Unreadable, PylockValidationError) as error:
        return None, (_unusable(shown(str(error), 160).rstrip("."), None),)
    lines = lines_of(text)
    problems = tuple(
        _unusable(reason, line_of((f'name = "{package.name}"', f"name = '{package.name}'"), lines), package.name)
        for package in lock.packages
        if (reason := _unfit(package))
    )
    return (None, problems) if problems else (lock, ())


def not_locked(lock: Pylock, declared: Iterable[Declared]) -> tuple[Problem, ...]:
    """The problems of requirements beside the lock that it does not answer, by name and version.

    Markers and extras are not looked at: a lock does not keep which extras it was made with.
    """
    versions: dict[str, list[Package]] = {}
    for package in lock.packages:
        versions.setdefault(package.name, []).append(package)
    return tuple(filter(None, (_unanswered(each, versions) for each in declared)))


def _unanswered(declared: Declared, versions: dict[str, list[Package]]) -> Problem | None:
    requirement = declared.requirement
    locked = [p.version for p in versions.get(canonicalize_name(requirement.name), []) if p.version is not None]
    if any(requirement.specifier.contains(version, prereleases=True) for version in locked):
        return None
    has = f"has {', '.join(map(str, locked))}" if locked else "does not have it"
    text = shown(str(requirement), 80)
    return problem(
        "declaration-not-locked", package=requirement.name, source=declared.source, excerpt=text, line=text, has=has
    )


def _unfit(package: Package) -> str | None:
    for kind in ("vcs", "directory", "archive"):
        if getattr(package, kind) is not None:
            return f"`{package.name}` comes from {_ORIGINS[kind]} instead of an index"
    if not package.wheels:
        return f"`{package.name}` has no wheel"
    if package.version is None:
        return f"`{package.name}` has no version"
    return next((f"`{package.name}` has a wheel {reason}" for w in package.wheels if (reason := _unfit_wheel(w))), None)


_ORIGINS = {"vcs": "a repository", "directory": "a directory", "archive": "an archive"}


def _unfit_wheel(wheel: PackageWheel) -> str | None:
    digest = wheel.hashes.get("sha256", "")
    if len(digest) != 64 or not set(digest.lower()) <= set("0123456789abcdef"):
        return "without a SHA-256"
    if not (wheel.url or "").lower().startswith(("https://", "http://")):
        return "that is not on an index"
    return None


def _unusable(reason: str, line: int | None, package: str | None = None) -> Problem:
    return problem("declaration-lock", package=package, source=Source(FILE, line), reason=reason)
