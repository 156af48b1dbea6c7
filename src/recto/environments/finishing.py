"""Finishing environments that are in use already: their bytecode is compiled and linked in behind their backs.

One process of a store does this at a time, for all environments that wait; who comes while another is at it leaves the
work to them. A mark made before the other lets go is seen by one of the two: the other looks again after it let go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from recto.builder.base import Finisher
from recto.interpreters import Base
from recto.keys import EnvironmentKey
from recto.problems import BaseError, BuildError, StoreError
from recto.store import Lease, Miss, Store

# The mutex of whoever finishes.
MUTEX = "finishing"


class Finishing:
    """Finishes what waits in one store; `probe` tells who the base of an environment is."""

    def __init__(self, store: Store, finisher: Finisher, probe: Callable[[Path], Base]) -> None:
        self._store = store
        self._finisher = finisher
        self._probe = probe

    def run(self, wait_seconds: float = 0.0, cancelled: Callable[[], bool] | None = None) -> int:
        """How many environments this call finished; ends when none waits that could be finished.

        Where another process is at it, its end is awaited for `wait_seconds`; then the work is left to it. Raises
        Cancelled, StoreError.
        """
        finished = 0
        while waiting := self._waiting():
            try:
                with self._store.mutex(MUTEX, wait_seconds, cancelled=cancelled):
                    for key in waiting:
                        finished += self._finish(key, cancelled)
            except StoreError as error:
                if error.problems[0].code != "store-wait":
                    raise
                break
        return finished

    def _waiting(self) -> list[EnvironmentKey]:
        """The marked environments that are published, or that nobody is building any more."""
        return [key for key in self._store.unfinished() if self._store.has(key) or not self._store.busy(key.digest)]

    def _finish(self, key: EnvironmentKey, cancelled: Callable[[], bool] | None) -> bool:
        record = self._store.lacking(key)
        if isinstance(record, Miss) or not self._store.has(key):
            self._store.finished(key)
            return False
        match record.value:
            case {"base": str(python), "bytecode": dict(bytecode)}:
                return self._given(key, Path(python), bytecode, cancelled)
        self._store.finishing_failed(key, "its mark cannot be read")
        return False

    def _given(
        self,
        key: EnvironmentKey,
        python: Path,
        bytecode: Mapping[str, str],
        cancelled: Callable[[], bool] | None,
    ) -> bool:
        try:
            base = self._probe(python)
            self._finisher.finish(base, bytecode, lambda: self._held(key), self._store.grow, cancelled)
        except (BaseError, BuildError) as error:
            self._store.finishing_failed(key, error.problems[0].message)
            return False
        self._store.finished(key)
        return True

    @contextmanager
    def _held(self, key: EnvironmentKey) -> Iterator[Path | None]:
        lease = self._store.lease(key)
        if isinstance(lease, Lease):
            with lease:
                yield lease.path
        else:
            yield None
