"""What contained the commands of a build or a render, for whoever reads of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from msgspec import Struct, field

from recto.sandbox.base import Tier

_EXACTNESS: tuple[Tier, ...] = get_args(Tier)


class Containment(Struct, frozen=True):
    """`mechanism` is the sandbox by its name, `limits` by what each limit was kept (`Outcome.tiers`)."""

    mechanism: str
    limits: Mapping[str, Tier] = field(default_factory=dict)

    def beside(self, other: Containment | None) -> Containment:
        """That of both together: each limit by the less exact of its two tiers."""
        if other is None:
            return self
        limits = {**self.limits, **other.limits}
        for name in self.limits.keys() & other.limits.keys():
            limits[name] = max(self.limits[name], other.limits[name], key=_EXACTNESS.index)
        return Containment(self.mechanism, limits)

    @property
    def words(self) -> str:
        """In one line: `bubblewrap; memory: cgroup-v2; disk: watched`."""
        return "; ".join((self.mechanism, *(f"{name}: {tier}" for name, tier in self.limits.items())))
