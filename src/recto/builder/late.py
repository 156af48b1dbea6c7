"""A builder that is made when something has to be built."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from recto.builder.base import Builder, Built, Order, settle_nothing
from recto.interpreters import Base
from recto.progress import Progress


class LateBuilder:
    """Stands for the builder that `make` gives, once for all. A ready environment needs none, nor its modules."""

    def __init__(self, make: Callable[[], Builder]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Builder:
        return self._make()

    def prepare(self, base: Base, cancelled: Callable[[], bool] | None = None) -> None:
        """As the builder says."""
        self._made.prepare(base, cancelled)

    def build(
        self,
        order: Order,
        directory: Path,
        progress: Progress,
        cancelled: Callable[[], bool] | None = None,
        settled: Callable[[], object] = settle_nothing,
    ) -> Built:
        """As the builder says."""
        return self._made.build(order, directory, progress, cancelled, settled)
