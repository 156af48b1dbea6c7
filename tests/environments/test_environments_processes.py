"""Requests of several processes for the same packages, and what becomes of them when some are interrupted or killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from house import House

ALREADY = "installing the same packages are being prepared already 0 0"
FINISHING = "finishing others wait for the same packages 0 0"
DOWNLOADING = "downloading polars 3 10"


class Visit:
    """One process of `visiting.py`."""

    def __init__(self, data: Path, *arguments: str) -> None:
        here = Path(__file__).parent
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, here / "visiting.py", data, *arguments],
            env={"PYTHONPATH": f"{here.parent}:{here}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, line: str) -> None:
        """Reads until the process has said this; fails when it ends before."""
        assert self.process.stdout is not None
        for said in self.process.stdout:
            self.said.append(said.strip())
            if self.said[-1] == line:
                return
        pytest.fail(f"{line!r} was not said, but {self.said}")

    def go(self) -> None:
        """Lets what it is at come to its end."""
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ended(self) -> list[str]:
        """All that the process said, once it has ended well."""
        assert self.process.stdout is not None
        self.said += [line.strip() for line in self.process.stdout]
        assert self.process.wait() == 0
        return self.said


Visits = Callable[..., Visit]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def visit(house: House) -> Iterator[Visits]:
    with ExitStack() as processes:

        def start(package: str = "polars", *options: str) -> Visit:
            visit = Visit(house.data, package, *options)
            processes.enter_context(visit.process)
            processes.callback(visit.process.kill)
            return visit

        yield start


@pytest.fixture
def builds(visit: Visits) -> Visit:
    """A process that builds."""
    first = visit()
    first.until(DOWNLOADING)
    return first


@pytest.fixture
def waits(visit: Visits, builds: Visit) -> Visit:
    """A process that waits for the one that builds."""
    second = visit()
    second.until(ALREADY)
    return second


def test_whoever_waits_sees_what_the_builder_does_and_gets_its_environment(builds: Visit, waits: Visit) -> None:
    waits.until(DOWNLOADING)
    builds.go()
    (built, got) = builds.ended()[-1].split()[1:], waits.ended()[-1].split()[1:]
    assert (built[0], got[0]) == ("built", "cached")
    assert built[1] == got[1]
    assert "building" not in waits.said


def test_an_interrupted_builder_finishes_what_another_process_waits_for(
    house: House, builds: Visit, waits: Visit
) -> None:
    builds.interrupt()
    builds.until(FINISHING)
    builds.go()
    assert builds.ended()[-1] == "interrupted"
    assert "stopped" not in builds.said
    assert waits.ended()[-1].startswith("got cached")
    assert "building" not in waits.said
    assert house.leftovers() == []


def test_a_second_interrupt_stops_the_builder_and_the_next_one_builds(
    house: House, builds: Visit, waits: Visit
) -> None:
    builds.interrupt()
    builds.until(FINISHING)
    builds.interrupt()
    assert builds.ended()[-2:] == ["stopped", "interrupted"]
    waits.until("building")
    waits.go()
    assert waits.ended()[-1].startswith("got built")
    assert house.leftovers() == []


def test_an_interrupted_builder_for_whom_nobody_waits_stops(house: House, builds: Visit) -> None:
    builds.interrupt()
    assert builds.ended()[-2:] == ["stopped", "interrupted"]
    assert FINISHING not in builds.said
    assert house.published() == []
    assert house.leftovers() == []


def test_an_interrupted_waiter_leaves_the_builder_alone(house: House, builds: Visit, waits: Visit) -> None:
    waits.interrupt()
    assert waits.ended()[-1] == "interrupted"
    builds.go()
    assert builds.ended()[-1].startswith("got built")
    assert house.leftovers() == []


def test_a_builder_whose_waiter_has_left_can_be_stopped(house: House, builds: Visit, waits: Visit) -> None:
    builds.interrupt()
    builds.until(FINISHING)
    waits.interrupt()
    assert waits.ended()[-1] == "interrupted"
    assert builds.ended()[-2:] == ["stopped", "interrupted"]
    assert house.leftovers() == []


def test_the_builder_is_killed_and_the_waiter_builds(house: House, builds: Visit, waits: Visit) -> None:
    builds.kill()
    waits.until("building")
    waits.go()
    assert waits.ended()[-1].startswith("got built")
    assert len(house.published()) == 1
    assert house.store.prune().stuck == 0
    assert house.leftovers() == []


def test_the_waiter_is_killed_and_keeps_nobody_at_work(house: House, builds: Visit, waits: Visit) -> None:
    waits.kill()
    builds.interrupt()
    assert builds.ended()[-2:] == ["stopped", "interrupted"]
    house.store.prune()
    assert house.leftovers() == []


def test_whoever_waits_for_one_who_waits_keeps_the_builder_at_work_too(builds: Visit, visit: Visits) -> None:
    # Another spec with the same outcome: it waits for the environment and not for the answer.
    between = visit("polars>=1")
    between.until(ALREADY)
    last = visit("polars>=1")
    last.until(ALREADY)
    last.until(DOWNLOADING)
    between.interrupt()
    between.until(FINISHING)
    builds.interrupt()
    builds.until(FINISHING)
    builds.go()
    assert builds.ended()[-1] == between.ended()[-1] == "interrupted"
    assert last.ended()[-1].startswith("got cached")


def test_twelve_processes_make_one_build(house: House, builds: Visit, visit: Visits) -> None:
    others = [visit() for _ in range(11)]
    for other in others:
        other.until(ALREADY)
    builds.go()
    ends = {process.ended()[-1].split()[1] for process in others}
    assert builds.ended()[-1].startswith("got built")
    assert ends == {"cached"}
    assert not any("building" in process.said for process in others)
    assert house.leftovers() == []


FAILED = "failed no-matching-distribution"
REMEMBERED = f"{FAILED} failure-remembered"


def ask_for_what_fails(visit: Visits, options: tuple[str, ...]) -> tuple[Visit, list[Visit]]:
    """One process that looks for what nobody knows, and eleven that wait for it."""
    first = visit("polrs", *options)
    first.until("looking")
    others = [visit("polrs", *options) for _ in range(11)]
    for other in others:
        other.until(ALREADY)
    return first, others


@pytest.mark.parametrize("options", [(), ("--retry",)])
def test_twelve_processes_that_ask_for_what_fails_make_one_attempt(
    house: House, visit: Visits, options: tuple[str, ...]
) -> None:
    if options:
        before = visit("polrs")
        before.go()
        assert before.ended()[-1] == FAILED
    first, others = ask_for_what_fails(visit, options)
    first.go()
    assert first.ended()[-1] == FAILED
    for other in others:
        assert other.ended()[-1] == REMEMBERED
        assert "looking" not in other.said
    assert visit("polrs").ended() == [REMEMBERED]
    assert house.leftovers() == []


def test_whoever_looks_is_killed_and_one_of_those_who_wait_looks_for_all(house: House, visit: Visits) -> None:
    first, others = ask_for_what_fails(visit, ())
    first.kill()
    # Any of them; the rest never reads its line.
    for other in others:
        other.go()
    ends = sorted(other.ended()[-1] for other in others)
    assert ends == [FAILED] + [REMEMBERED] * 10
    assert sum("looking" in other.said for other in others) == 1
    house.store.prune()
    assert house.leftovers() == []


def test_a_retry_beside_those_who_are_told_tries_again(visit: Visits) -> None:
    first = visit("polrs")
    first.go()
    assert first.ended()[-1] == FAILED
    retry = visit("polrs", "--retry")
    retry.until("looking")
    assert visit("polrs").ended() == [REMEMBERED]
    retry.go()
    assert retry.ended()[-1] == FAILED
