"""A process that asks for an environment: it says on standard output what happens, and builds until it reads a line.

python visiting.py DATA PACKAGE
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

from house import OWN, House, asks

from recto.problems import Cancelled, problem
from recto.progress import Event, Progress


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def during(progress: Progress, cancelled: Callable[[], bool]) -> None:
    say("building")
    progress(Event("downloading", "polars", 3, 10, "bytes"))
    while not select.select([0], [], [], 0.01)[0]:
        if cancelled():
            say("stopped")
            raise Cancelled(problem("cancelled"))
    # One line and not what a buffer takes: the next build waits for a line of its own.
    os.read(0, 3)
    say("built")


def main(data: Path, package: str) -> None:
    house = House(data)
    house.builder.during = during
    try:
        with house.environments().ensure(
            asks(package), OWN, lambda event: say(event.event, event.message, event.done, event.total)
        ) as environment:
            say("got", environment.origin, environment.key)
    except KeyboardInterrupt:
        say("interrupted")
    except Cancelled:
        say("cancelled")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
