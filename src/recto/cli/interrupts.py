"""Ctrl-C and SIGTERM: both interrupt, and one that comes twice at once counts once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

# `timeout` and many supervisors signal a process and then its group, so that it comes twice within a millisecond; a
# person who means a second Ctrl-C takes longer than this.
_ONE_SECONDS = 0.1


class Interrupts:
    """A signal handler that raises KeyboardInterrupt. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = self._clock()
        if self._last is None or now - self._last >= _ONE_SECONDS:
            self._last = now
            raise KeyboardInterrupt


def take_interrupts() -> None:
    """Lets both signals interrupt this process; a SIGINT that it was started to ignore (`nohup`, `&`) stays ignored."""
    interrupts = Interrupts()
    signal.signal(signal.SIGTERM, interrupts)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupts)
