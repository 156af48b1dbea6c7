"""What is known of an interpreter that serves as a base."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from recto.keys import BaseIdentity
from recto.problems import BaseError, Source, problem

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


class Base(Struct, frozen=True):
    """An interpreter whose packages every environment sees.

    `python` is its executable, `prefix` its `sys.prefix`, `site_packages` the directories where its packages lie.
    `markers` is a complete PEP 508 environment and `tags` its wheel tags, best first: never those of our own process.
    `roots` are the directories that a sandbox must show for it to run, none inside another. `bytecode` names what its
    compiled files are: cache tag and magic number (PEP 3147, 552).
    """

    python: Path
    prefix: Path
    identity: BaseIdentity
    is_venv: bool
    site_packages: tuple[Path, ...]
    markers: Mapping[str, str]
    tags: tuple[str, ...]
    roots: tuple[Path, ...] = ()
    bytecode: str = ""


def check_python(base: Base, wanted: SpecifierSet | None, source: Source | None) -> None:
    """Raises BaseError `requires-python-unmet`, at `source`, unless the base is a Python that is wanted."""
    version = base.markers["python_full_version"]
    if wanted is not None and not wanted.contains(version, prereleases=True):
        raise BaseError(problem("requires-python-unmet", source=source, specifier=wanted, version=version))


def missing_render_stack(base: Base, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that the base does not have, in the order given."""
    from packaging.utils import canonicalize_name

    return tuple(name for name in names if canonicalize_name(name) not in base.identity.distributions)


def digest_of(base: Base) -> str:
    """32 hexadecimal digits that stand for who the base is and for what its site directories hold at this moment.

    A package that was changed by hand under the same version changes the time of its directory.
    """
    identity = base.identity
    state = (
        identity.implementation,
        identity.version,
        identity.abi,
        identity.location,
        sorted(identity.distributions.items()),
        [(str(path), os.stat(path).st_mtime_ns) for path in base.site_packages],  # noqa: PTH116
    )
    return hashlib.sha256(repr(state).encode("utf-8", "surrogateescape")).hexdigest()[:32]
