"""One flight: work under way, the callers that want it, and the mutexes that it holds. See `flights`."""

from __future__ import annotations

from _thread import LockType
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar, cast

from msgspec.structs import replace

from recto.problems import Cancelled, RectoError, problem
from recto.progress import Event, Progress
from recto.store import Turn

# How often a caller is asked whether it cancels while nothing happens.
_TICK_SECONDS = 0.1

# How much of a message other processes are told: JSON makes up to 12 bytes of a character, and a page is all that they
# can be told at once (see `Turn.say`).
_TOLD_CHARACTERS_MAX = 300

T = TypeVar("T")


class Caller(Generic[T]):
    """One who wants what a flight brings. Its methods are for the caller's own thread."""

    def __init__(self, progress: Progress, cancelled: Callable[[], bool]) -> None:
        from queue import Empty, SimpleQueue

        self.flight: Flight[T] | None = None
        self.leaving = False
        self.progress = progress
        self._cancelled = cancelled
        self._nothing = Empty
        # None when the flight has landed.
        self._told: SimpleQueue[Event | None] = SimpleQueue()

    def tell(self, event: Event | None) -> None:
        """Tells the caller of an event, or of the end; from any thread."""
        self._told.put(event)

    def wait(self, flight: Flight[T]) -> T:
        """The flight's value; raises its error, or Cancelled once the caller has cancelled."""
        while self.hear(self.progress):
            if self._cancelled():
                raise Cancelled(problem("cancelled"))
        return flight.outcome()

    def hear(self, progress: Progress) -> bool:
        """Passes on the next event, if there is one within a tick; False where it was the end."""
        try:
            event = self._told.get(timeout=_TICK_SECONDS)
        except self._nothing:
            return True
        if event is None:
            return False
        progress(event)
        return True


class Flight(Generic[T]):
    """What the work itself sees: `progress` for its events, and `cancelled` when nobody wants it any more.

    Both are for the thread that works. `lock` guards who is on board; it is the one of all flights of a kind, so that
    nobody boards a flight that has just been stopped.
    """

    def __init__(self, lock: LockType) -> None:
        self.stopped = False
        self.landed = False
        self.hurried = False
        self.value: T | None = None
        self.error: BaseException | None = None
        self._lock = lock
        self._callers: list[Caller[T]] = []
        self._turns: list[Turn] = []
        self._last: Event | None = None
        self._finishing = False

    def progress(self, event: Event) -> None:
        """Tells every caller, and those who wait in other processes."""
        with self._lock:
            self._last = event
            for caller in self._callers:
                caller.tell(event)
        for turn in self._turns:
            turn.say(_short(event))

    def hear(self, words: Mapping[str, object]) -> None:
        """Passes on what the holder of a mutex says; what this release cannot read is left out."""
        with suppress(ValueError):
            self.progress(Event.from_json(words))

    def cancelled(self) -> bool:
        """Whether to stop: every caller has left, and nobody waits in another process or the last one out will not.

        Once it said so nobody can board, and the answer stays.
        """
        with self._lock:
            if self.stopped or self.wanted:
                return self.stopped
            hurried = self.hurried
        if not hurried and any(turn.awaited() for turn in self._turns):
            self._tell_finishing()
            return False
        with self._lock:
            self.stopped = not self.wanted
            return self.stopped

    @contextmanager
    def holding(self, turn: Turn) -> Iterator[None]:
        """Lets those who wait for this mutex hear of the work, and count as wanting it, for the block."""
        self._turns.append(turn)
        if self._last is not None:
            turn.say(_short(self._last))
        try:
            yield
        finally:
            self._turns.remove(turn)

    @property
    def wanted(self) -> bool:
        """Whether a caller is on board that is not leaving. To be asked under the lock."""
        return any(not caller.leaving for caller in self._callers)

    def board(self, caller: Caller[T]) -> None:
        """Takes a caller on board, who hears the last event first. To be called under the lock."""
        caller.flight = self
        if self._last is not None:
            caller.tell(self._last)
        self.hurried = self._finishing = False
        self._callers.append(caller)

    def land(self) -> None:
        """Tells every caller that the outcome is there. To be called under the lock."""
        self.landed = True
        for caller in self._callers:
            caller.tell(None)

    def release(self, caller: Caller[T]) -> bool:
        """Lets a caller go, unless it is the last and the flight has not landed: then False. Under the lock."""
        if not self.landed and not any(other is not caller and not other.leaving for other in self._callers):
            return False
        if caller in self._callers:
            self._callers.remove(caller)
        return True

    def unload(self) -> T | None:
        """The flight's own value, to be ended: once, when it has landed and the last caller is off. Under the lock."""
        if not self.landed or self._callers:
            return None
        value, self.value = self.value, None
        return value

    def outcome(self) -> T:
        """The value; raises the error, an expected one as an instance of the caller's own."""
        if isinstance(self.error, RectoError):
            raise type(self.error)(self.error.problems, self.error.raw) from self.error
        if self.error is not None:
            raise self.error
        return cast(T, self.value)

    def _tell_finishing(self) -> None:
        if not self._finishing:
            self._finishing = True
            with self._lock:
                for caller in self._callers:
                    caller.tell(Event("finishing", "others wait for the same packages"))


def _short(event: Event) -> dict[str, object]:
    return replace(event, message=event.message[:_TOLD_CHARACTERS_MAX]).to_json()
