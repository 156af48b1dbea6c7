"""Flights: what several callers of one process want at the same time is done once, on a thread of its own.

    join ─┬─ a flight of that name is under way: its events and its outcome are this caller's too
          └─ none is: this caller's work takes off

Guaranteed:
- Each caller that stays gets the outcome: a value of its own, so that closing it takes nothing from the others, or an
  expected error as an instance of its own. `progress` and `cancelled` are called on the caller's own thread.
- A caller may leave at any time: it cancels, or an interrupt or an error of its `progress` reaches it. The others do
  not notice. The last one out stops the work, and returns when the work has ended and cleaned up after itself.
- Where another process waits for the work (see `Turn.awaited`), the last one out stays until it is done. It hears a
  `finishing` event; an interrupt while it stays stops the work, whoever waits.

Not guaranteed: that work ends which never asks `cancelled`; that a caller hears more of what was said before it joined
than the last event; anything to the child of a process that forks meanwhile, which has the flights and not their
threads.
"""

from __future__ import annotations

# Not from `threading`, which takes a millisecond to import: a hit starts no thread and needs no more than this.
from _thread import allocate_lock
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from recto.environments.flight import Caller, Flight
from recto.problems import RectoError
from recto.progress import Progress, silent

T = TypeVar("T")
Work = Callable[[Flight[T]], T]


class Flights(Generic[T]):
    """The flights of one kind. `share` makes a caller's own value out of the flight's, which `close` ends."""

    def __init__(self, share: Callable[[T], T], close: Callable[[T], None]) -> None:
        self._share = share
        self._close = close
        self._lock = allocate_lock()
        self._flying: dict[Hashable, Flight[T]] = {}

    def join(self, name: Hashable, work: Work[T], progress: Progress, cancelled: Callable[[], bool]) -> T:
        """What the work of this name returns, begun for this caller or for one that was here before.

        Raises what the work raises, and Cancelled when `cancelled()` says so.
        """
        caller = Caller[T](progress, cancelled)
        try:
            flight = self._board(name, work, caller)
            value = self._share(caller.wait(flight))
            self._released(flight, caller)
        except BaseException:
            self._leave(caller)
            raise
        return value

    def _board(self, name: Hashable, work: Work[T], caller: Caller[T]) -> Flight[T]:
        from threading import Thread

        with self._lock:
            flight = self._flying.get(name)
            if flight is None or flight.stopped:
                flight = Flight(self._lock)
                # It waits for the lock, and ends at once where an interrupt keeps this caller from boarding.
                Thread(target=self._fly, args=(name, flight, work), name="recto-flight").start()
            flight.board(caller)
            self._flying[name] = flight
        return flight

    def _fly(self, name: Hashable, flight: Flight[T], work: Work[T]) -> None:
        try:
            if not flight.cancelled():
                flight.value = work(flight)
        except BaseException as error:  # noqa: BLE001 - every caller raises it on its own thread
            flight.error = error
        with self._lock:
            flight.land()
            if self._flying.get(name) is flight:
                del self._flying[name]

    def _leave(self, caller: Caller[T]) -> None:
        """Lets the caller go; the last one out when the work has ended."""
        flight = caller.flight
        if flight is None:
            return
        caller.leaving = True
        try:
            self._stay(flight, caller, caller.progress)
        finally:
            # Where `progress` fails nothing more is told, and the work still has to end.
            self._stay(flight, caller, silent)
        if flight.error is not None and not isinstance(flight.error, RectoError):
            raise flight.error  # a bug is not hidden by leaving

    def _stay(self, flight: Flight[T], caller: Caller[T], progress: Progress) -> None:
        while True:
            try:
                if self._released(flight, caller):
                    return
                caller.hear(progress)
            except KeyboardInterrupt:
                flight.hurried = True

    def _released(self, flight: Flight[T], caller: Caller[T]) -> bool:
        """Whether the caller is off. The last one off ends the flight's own value."""
        with self._lock:
            released = flight.release(caller)
            value = flight.unload()
        if value is not None:
            self._close(value)
        return released
