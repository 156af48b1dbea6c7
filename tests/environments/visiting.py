"""A process that asks for an environment: it says on standard output what happens, and builds until it reads a line.

What nobody knows it looks for until it reads a line.

python visiting.py DATA PACKAGE [--retry]
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

from house import OWN, House, asks
from packaging.requirements import Requirement

from recto.problems import Cancelled, ResolveError, problem
from recto.progress import Event, Progress
from recto.resolver.base import Request


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def wait() -> None:
    """Waits for one line, and not for what a buffer takes: the next wait is for a line of its own."""
    os.read(0, 3)


def during(progress: Progress, cancelled: Callable[[], bool]) -> None:
    say("building")
    progress(Event("downloading", "polars", 3, 10, "bytes"))
    while not select.select([0], [], [], 0.01)[0]:
        if cancelled():
            say("stopped")
            raise Cancelled(problem("cancelled"))
    wait()
    say("built")


def looking(request: Request) -> None:
    say("looking")
    wait()
    say("looked")


def main(data: Path, package: str, retry: bool) -> None:
    house = House(data)
    house.builder.during = during
    if Requirement(package).name not in house.resolver.available:
        house.resolver.during = looking
    try:
        with house.environments().ensure(
            asks(package), OWN, lambda event: say(event.event, event.message, event.done, event.total), retry=retry
        ) as environment:
            say("got", environment.origin, environment.key)
    except KeyboardInterrupt:
        say("interrupted")
    except Cancelled:
        say("cancelled")
    except ResolveError as error:
        say("failed", *(found.code for found in error.problems))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "--retry" in sys.argv)
