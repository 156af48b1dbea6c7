"""What a project asks for, as values."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from recto.declaration.entry import Entry
from recto.problems import Problem, Source

if TYPE_CHECKING:
    from packaging.pylock import Pylock
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet


class Declared(Struct, frozen=True):
    """One requirement and where it was asked for; `hashes` as `algorithm:hexdigest`, empty where none were given.

    `entry` is how it is written, from which edits are made; None where there is no file to edit.
    """

    requirement: Requirement
    source: Source
    hashes: tuple[str, ...] = ()
    entry: Entry | None = None


class Declaration(Struct, frozen=True):
    """Everything one render asks for: the union of the project's and the document's requirements.

    `constraints` come from `-c` files and install nothing by themselves. `as_of` is the release cut-off (that UTC day
    included). `lock` is the project's own `pylock.toml`; where it is set, `requirements` is empty. `sources` are the
    files that were read, relative to the project. `remarks` are warnings that stop nothing.
    """

    requirements: tuple[Declared, ...] = ()
    constraints: tuple[Declared, ...] = ()
    requires_python: SpecifierSet | None = None
    requires_python_source: Source | None = None
    as_of: date | None = None
    lock: Pylock | None = None
    lock_source: Source | None = None
    sources: tuple[str, ...] = ()
    remarks: tuple[Problem, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be installed, so that the base alone answers it."""
        return not self.requirements and self.lock is None
