"""What the base's own distributions require, read from their metadata; nothing of the base is imported."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from email.message import Message
from email.parser import HeaderParser

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from recto.interpreters import Base
from recto.resolver.installed import BaseDistribution, parsed_version


def distributions(base: Base) -> tuple[BaseDistribution, ...]:
    """The base's distributions by name; those whose version is none by PEP 440 are left out: no index has them."""
    found: dict[NormalizedName, BaseDistribution] = {}
    for distribution in importlib.metadata.distributions(path=[str(path) for path in base.site_packages]):
        metadata = _headers(distribution)
        name, text = canonicalize_name(metadata.get("Name", "")), metadata.get("Version")
        version = parsed_version(text)
        if version is not None and name not in found and base.identity.distributions.get(name) == text:
            requires = _grouped(_required(distribution, metadata))
            found[name] = BaseDistribution(name, version, requires, tuple(metadata.get_all("Provides-Extra", ())))
    return tuple(found[name] for name in sorted(found))


def _headers(distribution: importlib.metadata.Distribution) -> Message:
    """The fields of its metadata without the description below them, which takes longer to read than all the rest."""
    # The last form is a single file `NAME.egg-info`, as Debian's packages have it.
    texts = (distribution.read_text(name) for name in ("METADATA", "PKG-INFO", ""))
    return HeaderParser().parsestr(next(filter(None, texts), "").partition("\n\n")[0])


def _required(distribution: importlib.metadata.Distribution, metadata: Message) -> Iterable[str]:
    # The older `.egg-info` form has its requirements in a file of its own.
    own_file = "Requires-Dist" not in metadata and distribution.read_text("requires.txt") is not None
    return (distribution.requires or ()) if own_file else metadata.get_all("Requires-Dist", ())


def _grouped(lines: Iterable[str]) -> dict[NormalizedName, tuple[str, ...]]:
    found: dict[NormalizedName, tuple[str, ...]] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue  # written before PEP 508, or by hand: it can neither be checked nor resolved
        # Where it once came from does not matter: what is there now is there.
        requirement.url = None
        name = canonicalize_name(requirement.name)
        found[name] = (*found.get(name, ()), str(requirement))
    return found
