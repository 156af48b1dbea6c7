"""What was used last, kept in memory as long as it fits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Weighed(Generic[K, V]):
    """A mapping that holds at most `weight_max`, in whatever unit, and forgets what was used longest ago."""

    def __init__(self, weight_max: int) -> None:
        self._weight_max = weight_max
        self._weight = 0
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, which was used now; None where there is none."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keeps a value; one that is heavier than everything together is not kept."""
        self.drop(key)
        if weight > self._weight_max:
            return
        self._kept[key] = (value, weight)
        self._weight += weight
        while self._weight > self._weight_max:
            _, (_, light) = self._kept.popitem(last=False)
            self._weight -= light

    def drop(self, key: K) -> None:
        """Forgets a value."""
        if key in self._kept:
            self._weight -= self._kept.pop(key)[1]
