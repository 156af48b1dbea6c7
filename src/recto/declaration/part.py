"""What one file adds to a declaration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from recto.declaration.model import Declared
from recto.problems import Problem, Source

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet


class Part(Struct, frozen=True):
    """Some of a declaration, with all that is wrong with it; parts are joined in the order they are read."""

    requirements: tuple[Declared, ...] = ()
    constraints: tuple[Declared, ...] = ()
    requires_python: tuple[tuple[SpecifierSet, Source], ...] = ()
    as_of: tuple[date, ...] = ()
    sources: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


def joined(parts: Iterable[Part]) -> Part:
    """All the parts as one."""
    every = tuple(parts)
    return Part(
        requirements=tuple(chain.from_iterable(part.requirements for part in every)),
        constraints=tuple(chain.from_iterable(part.constraints for part in every)),
        requires_python=tuple(chain.from_iterable(part.requires_python for part in every)),
        as_of=tuple(chain.from_iterable(part.as_of for part in every)),
        sources=tuple(chain.from_iterable(part.sources for part in every)),
        problems=tuple(chain.from_iterable(part.problems for part in every)),
        remarks=tuple(chain.from_iterable(part.remarks for part in every)),
    )


def wrong(*problems: Problem) -> Part:
    """The part that only says what is wrong."""
    return Part(problems=problems)
