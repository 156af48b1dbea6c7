"""What was answered: the resolution kept for each spec, and the way from a changed base to the next one.

Pinned on first success: an answer that is kept is given again until somebody asks for an update. When the base
changed, the last answer of the same lineage still holds unless a package that it leans on is another one now; if so,
it is resolved again with the last lock as preferences, so that only what must move does, and the report says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from recto.environments.asks import Ask
from recto.interpreters import Base
from recto.keys import EnvironmentKey, Ingredients, SpecKey, environment_ingredients
from recto.problems import Problem, problem
from recto.progress import Progress
from recto.resolver.base import Request, Resolution, Resolver
from recto.store import Miss, Record, Seen, Store, parse_record

if TYPE_CHECKING:
    from packaging.pylock import Pylock

Move = tuple[str, str | None, str | None]


class Known(Struct, frozen=True):
    """An answer in short: the key of its environment, and what is to be said whenever it is given."""

    key: EnvironmentKey
    remarks: tuple[Problem, ...] = ()


class Answers:
    """Resolutions by spec: kept ones first, new ones where there is none."""

    def __init__(self, store: Store, resolver: Resolver, seconds_max: float) -> None:
        self._store = store
        self._resolver = resolver
        self._seconds_max = seconds_max

    def known(self, spec: SpecKey) -> Known | None:
        """What a spec was answered with, in short; one small file is read."""
        return _known(self._store.spec(spec))

    def kept(self, spec: SpecKey) -> Resolution | None:
        """The resolution kept for a spec."""
        record = self._store.resolution(spec)
        if isinstance(record, Miss):
            return None
        from recto.environments import resolutions

        try:
            return resolutions.from_json(record.value)
        except ValueError:
            return None  # corruption is a miss: the spec is resolved again

    def renewal(self, spec: SpecKey) -> str | None:
        """What tells the last update of the answer from every other; None before the first."""
        record = self._store.resolution(spec)
        renewal = None if isinstance(record, Miss) else record.value.get("renewal")
        return renewal if isinstance(renewal, str) else None

    def keep(self, ask: Ask, resolution: Resolution, renewed: bool = False) -> None:
        """Makes `resolution` the answer to this ask; `renewed` where it was asked for anew."""
        from recto.environments import resolutions

        # What only happened this time is told this time; what stays true of the answer is told whenever it is given.
        lasting = tuple(remark for remark in resolution.remarks if remark.level != "info")
        answer = {
            "environment_key": environment_key(ask, resolution).digest,
            "remarks": [remark.to_json() for remark in lasting],
        }
        renewal = os.urandom(8).hex() if renewed else self.renewal(ask.spec)
        kept = {**resolutions.to_json(replace(resolution, remarks=lasting)), "renewal": renewal}
        self._store.put_resolution(ask.spec, kept)
        self._store.put_spec(ask.spec, answer)
        self._store.put_lineage(ask.lineage, {"spec_key": ask.spec.digest})

    def settled(self, spec: SpecKey, key: EnvironmentKey) -> bool:
        """Whether the spec is known to be answered with this environment."""
        known = self.known(spec)
        return known is not None and known.key == key

    def found(self, ask: Ask, progress: Progress, cancelled: Callable[[], bool]) -> Resolution:
        """An answer to a spec for which none is kept: the last one of its lineage if the base still bears it, else new.

        Raises ResolveError or Cancelled.
        """
        last = self._last_of_lineage(ask)
        if last is None:
            return self.fresh(ask, progress, cancelled)
        changed = _changes(ask.base, last)
        if not changed:
            return last
        request = Request(ask.declaration, ask.base, preferred=last.lock, seconds_max=self._seconds_max)
        fresh = self._resolver.resolve(request, progress, cancelled)
        return replace(fresh, remarks=(*fresh.remarks, _drift(changed, moves(last.lock, fresh.lock))))

    def fresh(self, ask: Ask, progress: Progress, cancelled: Callable[[], bool], current: bool = False) -> Resolution:
        """A new resolution, bound by no earlier one; raises ResolveError or Cancelled."""
        request = Request(ask.declaration, ask.base, seconds_max=self._seconds_max, upgrade=True, current=current)
        return self._resolver.resolve(request, progress, cancelled)

    def _last_of_lineage(self, ask: Ask) -> Resolution | None:
        record = self._store.lineage(ask.lineage)
        if isinstance(record, Miss):
            return None
        try:
            return self.kept(SpecKey(str(record.value.get("spec_key"))))
        except ValueError:
            return None  # corruption is a miss


def known_by(seen: Seen) -> Known | None:
    """What a spec was answered with, by these bytes of its record."""
    return None if seen.record_data is None else _known(parse_record(seen.record_data, seen.record.name))


def _known(record: Record | Miss) -> Known | None:
    if isinstance(record, Miss):
        return None
    try:
        key = EnvironmentKey(str(record.value["environment_key"]))
        return Known(key, tuple(Problem.from_json(remark) for remark in record.value["remarks"]))
    except (KeyError, TypeError, ValueError):
        return None  # corruption is a miss


def environment_ingredients_of(ask: Ask, resolution: Resolution) -> Ingredients:
    """Everything that the environment key of this answer digests."""
    install = [item.name for item in resolution.plan.install]
    return environment_ingredients(resolution.lock, install, ask.base.identity, resolution.leaned, ask.content)


def environment_key(ask: Ask, resolution: Resolution) -> EnvironmentKey:
    """The key of the environment that this answer describes."""
    return EnvironmentKey.of(environment_ingredients_of(ask, resolution))


def moves(before: Pylock, after: Pylock) -> tuple[Move, ...]:
    """(name, version before or None, version after or None) of every distribution that differs, by name."""
    old, new = _versions(before), _versions(after)
    names = sorted(old.keys() | new.keys())
    return tuple((name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _versions(lock: Pylock) -> dict[str, str]:
    return {package.name: str(package.version) for package in lock.packages}


def _changes(base: Base, last: Resolution) -> tuple[Move, ...]:
    """What differs in the base among the packages that the last answer relied on or replaced."""
    relied: Mapping[str, str] = {
        **last.leaned,
        **{item.name: item.base for item in last.plan.replaces},
    }
    now = base.identity.distributions
    return tuple((name, was, now.get(name)) for name, was in sorted(relied.items()) if now.get(name) != was)


def _drift(changed: tuple[Move, ...], moved: tuple[Move, ...]) -> Problem:
    return problem(
        "base-drift",
        changes=in_words(changed),
        moved=in_words(moved) if moved else "nothing else moved",
    )


def in_words(moved: tuple[Move, ...]) -> str:
    """Moves for people: `pandas 3.1.0 → 3.1.1, narwhals added 2.0`."""
    return ", ".join(
        f"{name} {was} → {now}" if was and now else f"{name} {now} added" if now else f"{name} {was} removed"
        for name, was, now in moved
    )
