"""What the environments room gives: an environment in use, a price tag, an explanation, an update."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from recto.declaration.model import Declaration
from recto.keys import EnvironmentKey, Ingredients, SpecKey
from recto.policy import Plan, Verdict
from recto.problems import Problem
from recto.store import Lease, Seen

if TYPE_CHECKING:
    from recto.environments.failures import Remembered

Origin = Literal["cached", "built", "base", "last-good"]
State = Literal["ready", "absent", "building", "failed"]


class Environment(Struct, frozen=True):
    """An interpreter with the packages of one declaration, held while it is used.

    `key` is None where the plain base answers the declaration; there is nothing to hold then. `python` is the
    executable, `prefix` its `sys.prefix`. `modules` maps installed distributions to their top-level modules.
    Closing gives the hold up, for this process: a child that inherited `keep_open` goes on holding it.
    """

    key: EnvironmentKey | None
    python: Path
    prefix: Path
    origin: Origin
    remarks: tuple[Problem, ...] = ()
    lease: Lease | None = None

    @classmethod
    def leased(cls, lease: Lease, origin: Origin, remarks: tuple[Problem, ...] = ()) -> Self:
        """The environment that a lease holds."""
        return cls(lease.key, lease.path / "bin" / "python", lease.path, origin, remarks, lease)

    @property
    def keep_open(self) -> tuple[int, ...]:
        """File descriptors for children that use the environment to inherit."""
        return () if self.lease is None else (self.lease.fileno(),)

    def share(self) -> Self:
        """The same environment with a hold of its own."""
        return replace(self, lease=None if self.lease is None else self.lease.share())

    def close(self) -> None:
        """Gives the hold up; a second time does nothing."""
        if self.lease is not None:
            self.lease.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Checked(Struct, frozen=True):
    """The price tag of a declaration. `plan` is None where nothing was resolved."""

    declaration: Declaration
    spec_key: SpecKey
    environment_key: EnvironmentKey | None
    state: State
    verdict: Verdict
    plan: Plan | None
    problems: tuple[Problem, ...]


class Footing(Struct, frozen=True):
    """What the answer to a declaration stands on beside the declaration and the base, and what is said with it."""

    seen: Seen
    remarks: tuple[Problem, ...]


class Explanation(Struct, frozen=True):
    """Every input of both keys. The environment's part is None until the declaration was resolved once.

    `failure` is what is remembered where the environment is not there; None where nothing is.
    """

    spec_key: SpecKey
    spec: Ingredients
    environment_key: EnvironmentKey | None
    environment: Ingredients | None
    state: State
    manifest: Mapping[str, object] | None
    failure: Remembered | None = None


class Update(Struct, frozen=True):
    """What a new resolution changed: `moved` holds (name, version before or None, version after or None)."""

    environment: Environment
    before: EnvironmentKey | None
    moved: tuple[tuple[str, str | None, str | None], ...]

    def share(self) -> Self:
        """The same update with a hold of its own on the environment."""
        return replace(self, environment=self.environment.share())

    def close(self) -> None:
        """Gives the hold up."""
        self.environment.close()
