"""Keys: the canonical form and digest of everything that changes an environment, able to explain themselves.

Two kinds of key, two types. A *spec key* says what was asked; an *environment key* says what came out. Each is the
SHA-256 of a canonical JSON text of its ingredients, cut to 128 bits; the ingredients are kept beside what they name,
so that `recto env explain` can show them and two keys can be compared input by input.

Never an ingredient: a credential, an index address, a path of the project, comments, order, spacing, case.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from recto.declaration.model import Declaration, Declared
from recto.declaration.pep508 import canonical

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock

# Raised when the meaning of an ingredient changes: old keys then never match new ones.
FORMAT = 1

_DIGEST = re.compile(r"[0-9a-f]{32}")


class _Key(Struct, frozen=True, order=True):
    """A digest of ingredients: 32 hexadecimal digits."""

    digest: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"not a key: {self.digest!r}")

    def __str__(self) -> str:
        return self.digest

    @classmethod
    def of(cls, ingredients: Ingredients) -> Self:
        """The key of these ingredients."""
        return cls(_digest(ingredients.to_json()))


class SpecKey(_Key, frozen=True, order=True):
    """What was asked: declaration, base identity, and the policy parts that change content."""


class LineageKey(_Key, frozen=True, order=True):
    """What was asked, apart from what the base has installed: stays the same when only the base's packages move."""


class EnvironmentKey(_Key, frozen=True, order=True):
    """What came out: lock, interpreter, and the base packages that the resolution leaned on."""


class Ingredients(Struct, frozen=True):
    """Named inputs of a key, in a fixed order; each value is a text or a sorted tuple of texts."""

    kind: str
    entries: tuple[tuple[str, str | tuple[str, ...]], ...]

    def to_json(self) -> dict[str, object]:
        """The canonical mapping that is digested and shown."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in self.entries}
        return {"format": FORMAT, "kind": self.kind, **values}

    def values(self, name: str) -> tuple[str, ...]:
        """The texts of one entry; KeyError where there is none of that name."""
        value = dict(self.entries)[name]
        return (value,) if isinstance(value, str) else value


class BaseIdentity(Struct, frozen=True):
    """Who a base is: its interpreter, where it stands, and what is installed in it.

    `location` is the interpreter's prefix: an environment holds that path, so equal bases at two places are two bases.
    `distributions` maps normalised names to versions.
    """

    implementation: str
    version: str
    platform: str
    libc: str
    abi: str
    location: str
    distributions: Mapping[str, str]


class ContentPolicy(Struct, frozen=True):
    """The parts of the policy that change what a resolution may contain; `index` is an alias, never an address."""

    index: str = "default"
    builds: str = "wheels-only"
    tenant: str = ""


def spec_ingredients(declaration: Declaration, base: BaseIdentity, policy: ContentPolicy) -> Ingredients:
    """Everything that a spec key digests."""
    return Ingredients(
        "spec",
        (
            *_asked(declaration),
            *_interpreter(base),
            ("base", _pairs(base.distributions)),
            *_content(policy),
        ),
    )


def lineage_ingredients(declaration: Declaration, base: BaseIdentity, policy: ContentPolicy) -> Ingredients:
    """The spec's ingredients without what is installed in the base."""
    return Ingredients("lineage", (*_asked(declaration), *_interpreter(base), *_content(policy)))


def environment_ingredients(
    lock: Pylock, install: Iterable[str], base: BaseIdentity, leaned: Mapping[str, str], policy: ContentPolicy
) -> Ingredients:
    """Everything that an environment key digests.

    `install` names the distributions of `lock` that are installed over the base, `leaned` the base packages (name to
    version) that the resolution relies on. The interpreter is an ingredient with its full version.
    """
    chosen = frozenset(install)
    packages = sorted(_locked(package) for package in lock.packages if package.name in chosen)
    return Ingredients(
        "environment",
        (
            ("packages", tuple(packages)),
            *_interpreter(base),
            ("leans-on", _pairs(leaned)),
            ("builds", policy.builds),
            ("tenant", policy.tenant),
        ),
    )


def declaration_digest(declaration: Declaration) -> str:
    """What an approval is given for: the digest of what is asked, whoever asks and wherever it is built."""
    return _digest(Ingredients("declaration", _asked(declaration)).to_json())


def _asked(declaration: Declaration) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    return (
        ("requirements", _canonical(declaration.requirements)),
        ("constraints", _canonical(declaration.constraints)),
        ("requires-python", _specifier(declaration)),
        ("as-of", declaration.as_of.isoformat() if declaration.as_of else ""),
        ("project-lock", _project_lock(declaration.lock)),
    )


def _specifier(declaration: Declaration) -> str:
    if declaration.requires_python is None:
        return ""
    return ",".join(sorted(str(clause) for clause in declaration.requires_python))


def _canonical(declared: tuple[Declared, ...]) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                " ".join((canonical(entry.requirement), *sorted(f"--hash={h}" for h in entry.hashes)))
                for entry in declared
            }
        )
    )


def _project_lock(lock: Pylock | None) -> tuple[str, ...]:
    return () if lock is None else tuple(sorted(_locked(package) for package in lock.packages))


def _locked(package: Package) -> str:
    # A source counts only where it is what will be built: most wheels have one beside them.
    files: Sequence[PackageWheel | PackageSdist] = package.wheels or ([package.sdist] if package.sdist else [])
    digests = sorted(f"{algorithm}:{digest}" for file in files for algorithm, digest in file.hashes.items())
    marker = f" ; {package.marker}" if package.marker else ""
    return " ".join((f"{package.name}=={package.version}{marker}", *digests))


def _interpreter(base: BaseIdentity) -> tuple[tuple[str, str], ...]:
    return (
        ("implementation", base.implementation),
        ("python", base.version),
        ("platform", base.platform),
        ("libc", base.libc),
        ("abi", base.abi),
        ("location", base.location),
    )


def _content(policy: ContentPolicy) -> tuple[tuple[str, str], ...]:
    return (("index", policy.index), ("builds", policy.builds), ("tenant", policy.tenant))


def _pairs(versions: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}=={versions[name]}" for name in sorted(versions))


def _digest(value: Mapping[str, object]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]
