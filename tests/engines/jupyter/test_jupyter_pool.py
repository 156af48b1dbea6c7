"""The pool of kernels that wait: which are kept, which have to go."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes import FakeSandbox
from recto.engines.base import Job
from recto.engines.jupyter.pool import LOOK_SECONDS, Bounds, Counts, Pool

MEGABYTE = 1_000_000


@dataclass
class Machine:
    """A clock, and how much memory each process tree takes."""

    now: float = 1000.0
    sizes: list[int] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def footprint(self, leader: int) -> int:
        return self.sizes.pop(0) if self.sizes else 100 * MEGABYTE


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def sandbox() -> FakeSandbox:
    return FakeSandbox()


Make = Callable[..., Pool]


@pytest.fixture
def make(sandbox: FakeSandbox, machine: Machine) -> Iterator[Make]:
    pools: list[Pool] = []

    def call(kernels: int, memory_bytes: int = 1000 * MEGABYTE, age_seconds: float = 60.0) -> Pool:
        pool = Pool(sandbox, Bounds(kernels, memory_bytes, age_seconds), machine.clock, machine.footprint)
        pool.open()
        pools.append(pool)
        return pool

    yield call
    for pool in pools:
        pool.close()


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    def call(name: str, **more: object) -> Job:
        project = tmp_path / name
        project.mkdir(exist_ok=True)
        prefix = tmp_path / "prefix"
        fields: dict[str, object] = {"prefix": prefix, **more}
        return Job(project / "paper.qmd", project, prefix / "bin" / "python", **fields)  # type: ignore[arg-type]

    return call


Jobs = Callable[..., Job]


def settled(pool: Pool, state: Callable[[Counts], bool]) -> Counts:
    """The numbers once they are such."""
    assert pool.wait_for(state, 30), pool.counts()
    return pool.counts()


def test_one_that_waits_is_given_once(make: Make, job: Jobs) -> None:
    pool = make(2)
    assert pool.take(job("a")) is None
    pool.replenish(job("a"))
    settled(pool, lambda counts: counts.ready == 1)
    taken = pool.take(job("a"))
    assert taken is not None
    with taken:
        assert pool.take(job("a")) is None
    assert not taken.workplace.root.exists()


@pytest.mark.parametrize(
    "other",
    [
        {"environment": {"LANG": "de_CH.UTF-8"}},
        {"prefix": Path("/another")},
        {"seconds_max": 5.0},
    ],
)
def test_a_job_that_would_be_started_differently_gets_none(make: Make, job: Jobs, other: dict[str, object]) -> None:
    pool = make(2)
    pool.replenish(job("a"))
    assert pool.take(job("a", **other)) is None
    assert pool.counts().waiting == 1


def test_another_project_gets_none(make: Make, job: Jobs) -> None:
    pool = make(2)
    pool.replenish(job("a"))
    assert pool.take(job("b")) is None


def test_a_directory_that_took_the_projects_place_gets_none(make: Make, job: Jobs, tmp_path: Path) -> None:
    pool = make(2)
    pool.replenish(job("a"))
    # The old one stays, so that its inode is not used again.
    (tmp_path / "a").rename(tmp_path / "old")
    assert pool.take(job("a")) is None


def test_documents_of_one_project_share_and_one_waits_for_each_project(make: Make, job: Jobs, tmp_path: Path) -> None:
    pool = make(5)
    one = job("a")
    other = Job(one.project / "deep" / "other.qmd", one.project, one.python, one.prefix)
    pool.replenish(one)
    pool.replenish(other)
    assert pool.counts().waiting == 1
    taken = pool.take(other)
    assert taken is not None
    with taken:
        pass


def test_the_least_recently_used_makes_room(make: Make, job: Jobs, sandbox: FakeSandbox) -> None:
    pool = make(2)
    for name in ("a", "b", "a", "c"):
        pool.replenish(job(name))
    counts = settled(pool, lambda counts: counts.ready == 2)
    assert (counts.waiting, counts.started, counts.displaced) == (2, 3, 1)
    assert pool.take(job("b")) is None
    for name in ("a", "c"):
        taken = pool.take(job(name))
        assert taken is not None
        with taken:
            pass


def test_a_pool_of_none_and_a_pool_that_is_not_open_start_none(
    make: Make, job: Jobs, sandbox: FakeSandbox, machine: Machine
) -> None:
    make(0).replenish(job("a"))
    Pool(sandbox, Bounds(3), machine.clock, machine.footprint).replenish(job("a"))
    closed = make(3)
    closed.close()
    closed.replenish(job("a"))
    assert sandbox.commands == []


def test_one_that_is_too_old_is_ended_though_nobody_calls(make: Make, job: Jobs, machine: Machine) -> None:
    pool = make(2, age_seconds=60)
    pool.replenish(job("a"))
    settled(pool, lambda counts: counts.ready == 1)
    machine.now += 59
    assert pool.counts().waiting == 1
    machine.now += 1
    assert settled(pool, lambda counts: counts.waiting == 0).expired == 1


def test_one_that_is_too_old_is_not_given(make: Make, job: Jobs, machine: Machine) -> None:
    pool = make(2, age_seconds=60)
    pool.replenish(job("a"))
    machine.now += 60
    assert pool.take(job("a")) is None
    assert pool.counts().expired == 1


def test_the_least_recently_used_goes_while_all_are_too_big(make: Make, job: Jobs) -> None:
    pool = make(5, memory_bytes=250 * MEGABYTE)
    for ready, name in enumerate("ab", start=1):
        pool.replenish(job(name))
        settled(pool, lambda counts, ready=ready: counts.memory_bytes == ready * 100 * MEGABYTE)  # type: ignore[misc]
    pool.replenish(job("c"))
    counts = settled(pool, lambda counts: counts.displaced == 1)
    assert (counts.waiting, counts.memory_bytes) == (2, 200 * MEGABYTE)
    assert pool.take(job("a")) is None


def test_one_that_grows_while_it_waits_is_ended(make: Make, job: Jobs, machine: Machine) -> None:
    pool = make(5, memory_bytes=250 * MEGABYTE)
    machine.sizes += [100 * MEGABYTE, 251 * MEGABYTE]
    pool.replenish(job("a"))
    settled(pool, lambda counts: counts.memory_bytes == 100 * MEGABYTE)
    machine.now += LOOK_SECONDS
    assert settled(pool, lambda counts: counts.waiting == 0).displaced == 1


def test_one_that_is_too_big_alone_displaces_no_other_and_is_not_started_again(
    make: Make, job: Jobs, machine: Machine
) -> None:
    pool = make(5, memory_bytes=250 * MEGABYTE)
    pool.replenish(job("a"))
    settled(pool, lambda counts: counts.memory_bytes == 100 * MEGABYTE)
    machine.sizes.append(300 * MEGABYTE)
    heavy = job("b", prefix=Path("/heavy"))
    pool.replenish(heavy)
    counts = settled(pool, lambda counts: counts.displaced == 1)
    assert counts.memory_bytes == 100 * MEGABYTE
    pool.replenish(heavy)
    assert pool.counts().started == 2


def test_one_that_cannot_be_started_is_a_miss(make: Make, job: Jobs, sandbox: FakeSandbox) -> None:
    sandbox.failing = FileNotFoundError("no such interpreter")
    pool = make(2)
    pool.replenish(job("a"))
    assert settled(pool, lambda counts: counts.waiting == 0).failed == 1
    assert pool.take(job("a")) is None


def test_one_for_a_project_that_is_gone_is_neither_started_nor_given(make: Make, job: Jobs, tmp_path: Path) -> None:
    pool = make(2)
    gone = job("a")
    gone.project.rmdir()
    pool.replenish(gone)
    assert pool.take(gone) is None
    assert pool.counts().started == 0


def test_a_lease_that_is_gone_is_counted_and_no_error(make: Make, job: Jobs) -> None:
    pool = make(2)
    pool.replenish(job("a", keep_open=(10_000,)))
    counts = pool.counts()
    assert (counts.failed, counts.waiting) == (1, 0)


def test_one_that_waits_holds_the_environment_and_lets_it_go(make: Make, job: Jobs, tmp_path: Path) -> None:
    path = tmp_path / "environment"
    path.touch()
    pool = make(1)
    with path.open("rb") as lease:
        fcntl.flock(lease, fcntl.LOCK_SH)
        pool.replenish(job("a", keep_open=(lease.fileno(),)))
    with path.open("rb") as evictor:
        with pytest.raises(BlockingIOError):
            fcntl.flock(evictor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        pool.close()
        fcntl.flock(evictor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_a_runner_is_started_with_names_no_document(make: Make, job: Jobs, sandbox: FakeSandbox) -> None:
    pool = make(1)
    pool.replenish(job("a"))
    settled(pool, lambda counts: counts.ready == 1)
    (command,) = sandbox.commands
    assert "paper.qmd" not in str(command)
    assert job("a").project in command.writable
