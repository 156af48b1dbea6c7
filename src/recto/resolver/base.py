"""The port of the resolver room: a declaration over a base to a lock and a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from recto.declaration.model import Declaration
from recto.interpreters import Base
from recto.policy.model import Plan
from recto.problems import Problem
from recto.progress import Progress

if TYPE_CHECKING:
    from packaging.pylock import Pylock


class Request(Struct, frozen=True):
    """What to resolve: `preferred` is the last lock of the same spec, whose versions are kept where they fit.

    With `upgrade` they are not. With `current` the index is asked about everything, however lately it was.
    """

    declaration: Declaration
    base: Base
    preferred: Pylock | None = None
    seconds_max: float = 120.0
    upgrade: bool = False
    current: bool = False


class Resolution(Struct, frozen=True):
    """The resolved answer.

    `lock` holds every distribution of the answer that the index offers, also those that the base has; what only the
    base offers (`2.13.0+cpu`, a release after the cut-off) stands in `plan.from_base` alone. `plan` says which are
    installed, taken from the base, or replace one of it. `leaned` are the base packages (normalised name to version)
    that the answer relies on: when one of them changes, the answer has to be looked at again. `remarks` are warnings.
    `text` is the lock as PEP 751 has it, once somebody has written it.
    """

    lock: Pylock
    plan: Plan
    leaned: Mapping[str, str]
    remarks: tuple[Problem, ...] = ()
    raw: str = ""
    text: str = ""


class Resolver(Protocol):
    """A tool that resolves."""

    def resolve(self, request: Request, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Resolution:
        """The resolution of the request; raises ResolveError with problems placed at the lines of the declaration."""
        ...
