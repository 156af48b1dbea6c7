"""Work on a thread of its own, beside a command that is waited for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Runs `work` while its block runs; at the end of the block, however it ends, the work has ended too.

    `result()`, in the block or after it, waits for the work and gives what it returned, or raises what it raised. An
    error of the block comes first.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="recto-aside")

    def _run(self) -> None:
        try:
            self._value.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again by `result`, on the thread that wants it
            self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join()

    def result(self) -> T:
        """What the work came to."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value[0]
