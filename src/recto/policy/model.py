"""The operator's rules, who asks, what a build would do, and the answer."""

from __future__ import annotations

from typing import Self

from msgspec import Struct

from recto.problems import Problem


class Grant(Struct, frozen=True):
    """What the host says about who asks. The default grants nothing.

    `approved` is the digest of the declaration that a trusted person approved (`keys.declaration_digest`), or None
    where the host keeps no approvals.
    """

    subject: str = "anonymous"
    install: bool = False
    approved: str | None = None

    @classmethod
    def own(cls) -> Self:
        """The grant of a person at their own command line: they may install what they wrote."""
        return cls(subject="local", install=True)


class Policy(Struct, frozen=True):
    """The operator's rules. The defaults install nothing; the caps are for a shared server with a 20 GB store.

    `builds` is `trusted` where packages without a wheel may be built from source. `last_good` renders a document whose
    change fails with the environment that it was last rendered with.
    """

    installing: bool = False
    tenant: str = ""
    require_approval: bool = False
    packages_max: int = 300
    download_bytes_max: int = 3_000_000_000
    installed_bytes_max: int = 10_000_000_000
    resolve_seconds_max: float = 120.0
    build_seconds_max: float = 900.0
    last_good: bool = False
    builds: str = "off"


class Installed(Struct, frozen=True):
    """One distribution that a build would install; `download_bytes` is None where the lock does not tell."""

    name: str
    version: str
    download_bytes: int | None = None


class FromBase(Struct, frozen=True):
    """One distribution that the resolution takes from the base."""

    name: str
    version: str


class Replaced(Struct, frozen=True):
    """One distribution of the base that the environment shadows: `base` is its version there."""

    name: str
    base: str
    version: str


# Unpacked over compressed size, 569 MB of 165 MB, measured on 31 wheels of a data-science set. Only an estimate for
# refusing early: the finished tree is measured before it is published.
UNPACKED_PER_COMPRESSED = 3.5


class Plan(Struct, frozen=True):
    """What a build would do: install over the base, take from it, replace in it; each sorted by name."""

    install: tuple[Installed, ...] = ()
    from_base: tuple[FromBase, ...] = ()
    replaces: tuple[Replaced, ...] = ()

    @property
    def download_bytes(self) -> int:
        """Bytes of all files to install whose size the lock tells."""
        return sum(item.download_bytes or 0 for item in self.install)

    @property
    def installed_bytes_estimate(self) -> int:
        """Roughly the bytes on disk after unpacking."""
        return int(self.download_bytes * UNPACKED_PER_COMPRESSED)


class Verdict(Struct, frozen=True):
    """The operator's answer for one request: allowed or not, with the reasons."""

    problems: tuple[Problem, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not any(problem.level == "error" for problem in self.problems)
