"""pip as the oracle: what it would install over the same base, and why an answer of ours may differ from its."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from recto.interpreters import Base
from recto.resolver import Resolution
from recto.resolver.installed import base_versions, unmet
from recto.resolver.metadata import distributions

SECONDS_MAX = 150.0

# Both are asked for what the index had by the end of this day (UTC), so that the comparison is the same every day.
DAY = date(2026, 11, 19)

Versions = dict[NormalizedName, Version]


@dataclass(frozen=True)
class PipAnswer:
    """What pip would install, the requirements of each of those here, and which of them are yanked."""

    versions: Versions
    requires: dict[NormalizedName, list[Requirement]]
    yanked: frozenset[NormalizedName]


@dataclass(frozen=True)
class Difference:
    """One distribution that the two would not install alike; `why` is None where nothing explains it."""

    name: str
    ours: str
    theirs: str
    why: str | None


def ask_pip(python: Path, requirements: str, constraints: str, directory: Path, base: Base) -> PipAnswer | str:
    """pip's answer, or the last line of its refusal."""
    asked, bound = directory / "asked.txt", directory / "bound.txt"
    asked.write_text(requirements)
    bound.write_text(constraints)
    argv = [str(python), "-m", "pip", "install", "--dry-run", "--quiet", "--report", "-", "--no-input"]
    argv += ["--disable-pip-version-check", "--only-binary", ":all:", "-r", str(asked), "-c", str(bound)]
    argv += ["--uploaded-prior-to", f"{DAY + timedelta(days=1)}T00:00:00Z"]
    # Nothing of this machine's own settings of pip.
    environment = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
    # One cache for all that are asked: they share metadata, and pip fetches what it does not have anew for each.
    cache = str(directory.parent / "pip-cache")
    environment |= {"HOME": str(directory), "PIP_CONFIG_FILE": os.devnull, "PIP_CACHE_DIR": cache}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS_MAX, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS_MAX:g} s"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return _read(json.loads(done.stdout), base)


def _read(report: dict[str, Any], base: Base) -> PipAnswer:
    items = {canonicalize_name(item["metadata"]["name"]): item for item in report["install"]}
    requires = {
        name: [one for text in item["metadata"].get("requires_dist", []) if _holds(one := Requirement(text), base)]
        for name, item in items.items()
    }
    versions = {name: Version(item["metadata"]["version"]) for name, item in items.items()}
    return PipAnswer(versions, requires, frozenset(name for name in items if items[name].get("is_yanked")))


def _holds(requirement: Requirement, base: Base) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**base.markers, "extra": ""})


def differences(found: Resolution, theirs: PipAnswer, base: Base) -> Iterator[Difference]:
    """Every distribution that is installed by one only, or in another version, each with what explains it."""
    ours = {canonicalize_name(item.name): Version(item.version) for item in found.plan.install}
    for name in sorted(ours.keys() | theirs.versions.keys()):
        if ours.get(name) != theirs.versions.get(name):
            why = _why(name, ours, theirs, base)
            yield Difference(name, _shown(ours.get(name)), _shown(theirs.versions.get(name)), why)


def _why(name: NormalizedName, ours: Versions, theirs: PipAnswer, base: Base) -> str | None:
    """One computed reason; nothing here knows a package by name."""
    under, version = base_versions(base), theirs.versions.get(name)
    with_ours = {**under, **ours}
    if name not in ours and name in under:
        return f"ours keeps {under[name]} of the base"
    broken = [one for one in unmet(distributions(base), base, theirs.versions) if one.name == name]
    if broken and version is None:
        return f"{name} {under[name]} of the base needs {broken[0].requirement}: pip leaves it broken"
    for requirement in theirs.requires.get(name, []):
        has = with_ours.get(canonicalize_name(requirement.name))
        if has is not None and not requirement.specifier.contains(has, prereleases=True):
            return f"pip's {version} needs {requirement}: ours has {has}" + _from_base(requirement, under, has)
    if version is not None and (name in theirs.yanked or version.is_prerelease):
        return f"pip's {version} is yanked or a pre-release"
    needed_by = [
        other
        for other, requirements in theirs.requires.items()
        if ours.get(other) != theirs.versions[other] and name in {canonicalize_name(one.name) for one in requirements}
    ]
    return f"asked for by {needed_by[0]}, which differs" if needed_by else None


def _from_base(requirement: Requirement, under: Versions, has: Version) -> str:
    return " of the base" if under.get(canonicalize_name(requirement.name)) == has else ""


def _shown(version: Version | None) -> str:
    return str(version) if version is not None else "-"
