"""A resolver that is made when something has to be resolved."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from recto.progress import Progress
from recto.resolver.base import Request, Resolution, Resolver


class LateResolver:
    """Stands for the resolver that `make` gives, once for all. A ready environment needs none, nor its modules."""

    def __init__(self, make: Callable[[], Resolver]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Resolver:
        return self._make()

    def resolve(self, request: Request, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Resolution:
        """As the resolver says."""
        return self._made.resolve(request, progress, cancelled)
