"""Construction: an answer to a published environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from msgspec import Struct
from packaging.utils import canonicalize_name

from recto.aside import Aside
from recto.builder.base import Builder, Built, Order
from recto.declaration.model import Declaration
from recto.environments.answers import environment_ingredients_of
from recto.environments.asks import Ask
from recto.interpreters import Base
from recto.keys import EnvironmentKey
from recto.policy import Policy
from recto.problems import BuildError, Problem
from recto.progress import Event, Progress
from recto.resolver.base import Resolution
from recto.store import Lease, Store


class Construction(Struct, frozen=True):
    """Builds into one store, within a policy. `finish` sees to environments that lack bytecode, and returns at once."""

    store: Store
    builder: Builder
    policy: Policy
    finish: Callable[[], None]

    @contextmanager
    def prepared(self, base: Base, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Has the builder do what it can without a lock, while the block finds one."""
        with Aside(lambda: self.builder.prepare(base, cancelled)) as preparing:
            yield
        preparing.result()

    def build(
        self,
        ask: Ask,
        key: EnvironmentKey,
        resolution: Resolution,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> Lease:
        """A lease on the environment of this resolution, built and published; raises BuildError, Cancelled, StoreError.

        Room is reserved first, others are evicted for it. For whoever holds the mutex of the key.
        """
        from recto.environments.resolutions import written

        order = Order(
            lock=resolution.lock,
            install=tuple(item.name for item in resolution.plan.install),
            base=ask.base,
            seconds_max=self.policy.build_seconds_max,
            installed_bytes_max=self.policy.installed_bytes_max,
        )
        started = datetime.now(UTC)
        with self.store.reserve(resolution.plan.installed_bytes_estimate), self.store.stage(key) as staging:
            with _placing(ask.declaration):
                built = self.builder.build(order, staging.directory, progress, cancelled, staging.seal)
            staging.write("pylock.toml", written(resolution).text)
            staging.write("build.log", built.log)
            self._mark(ask, key, built)
            lease = staging.publish(_manifest(ask, resolution, built, started), built.new_bytes)
        if built.unfinished:
            if not self.store.is_unfinished(key):
                # A finisher took the mark for one of an environment that is gone, as it was not there yet.
                self._mark(ask, key, built)
            self.finish()
        progress(Event("ready", "the environment is ready"))
        return lease

    def _mark(self, ask: Ask, key: EnvironmentKey, built: Built) -> None:
        if built.unfinished:
            self.store.mark_unfinished(key, {"base": str(ask.base.python), "bytecode": built.unfinished})


def _manifest(ask: Ask, resolution: Resolution, built: Built, started: datetime) -> dict[str, object]:
    from recto.environments.resolutions import plan_to_json

    return {
        "ingredients": environment_ingredients_of(ask, resolution).to_json(),
        "spec_key": ask.spec.digest,
        "base": str(ask.base.python),
        "plan": plan_to_json(resolution.plan),
        "modules": {name: list(modules) for name, modules in built.modules.items()},
        "installed_bytes": built.installed_bytes,
        "proof": built.proof,
        "built_at": started.isoformat(timespec="seconds"),
        "build_seconds": round((datetime.now(UTC) - started).total_seconds(), 3),
    }


@contextmanager
def _placing(declaration: Declaration) -> Iterator[None]:
    """Puts what a build says about a package at the line that asks for it, or at the project's lock."""
    try:
        yield
    except BuildError as error:
        raise BuildError((_placed(found, declaration) for found in error.problems), error.raw) from error


def _placed(found: Problem, declaration: Declaration) -> Problem:
    if found.source is not None or found.package is None:
        return found
    lines = {canonicalize_name(one.requirement.name): one.source for one in declaration.requirements}
    return found.at(lines.get(canonicalize_name(found.package), declaration.lock_source))
