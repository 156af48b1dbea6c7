"""The ledger: what is used is known without looking, is never too low for long, and an audit finds it right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier as MultiBarrier
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from stored import START, Clock, fill, key, names, publish, watched

from recto.problems import StoreError
from recto.store import FAILPOINTS, Options, Store
from recto.store.failpoints import EVICTING
from recto.store.layout import Layout
from recto.store.ledger import Ledger
from recto.store.trees import allocated, measure

pytest_plugins = ("store_fixtures",)

MB = 1_000_000


def small(data: Path, clock: Clock, failpoint: Callable[[str], None] = lambda _: None) -> Store:
    """A store with a budget of 10 MB."""
    return Store.open(data, Options(10 * MB, free_floor_bytes=0), clock, failpoint)


def counted(store: Store) -> Store:
    """The same store, whose ledger is no longer a miss."""
    with store.reserve(0):
        return store


def truth(store: Store) -> int:
    """What is used, exactly, without mending the ledger."""
    return store.usage().counted_bytes


def assert_exact(store: Store) -> None:
    assert store.room().used_bytes == truth(store)
    assert store.audit().mended_bytes == 0


def publish_sharing(store: Store, number: int, wheel: Path, new: bool) -> None:
    """An environment that shares a file with the cache, and tells whether it is new there."""
    if new:
        wheel.write_bytes(b"w" * 300_000)
    with store.stage(key(number)) as staging:
        fill(staging.directory, 1000, wheel)
        staging.publish({}, allocated(wheel.stat()) if new else 0).close()


def test_what_comes_and_goes_is_entered_to_the_byte(store: Store) -> None:
    counted(store)
    publish_sharing(store, 1, store.cache / "wheel", new=True)
    publish_sharing(store, 2, store.cache / "wheel", new=False)
    assert_exact(store)

    (store.bytecode / "compiled").write_bytes(b"c" * 5000)
    store.grow(allocated((store.bytecode / "compiled").stat()))
    assert_exact(store)

    store.remove(key(1))
    assert_exact(store)
    store.prune(0)
    assert names(store.cache.parent / "envs") == []
    assert_exact(store)


def test_links_within_one_environment_are_its_own(store: Store) -> None:
    counted(store)
    with store.stage(key(1)) as staging:
        fill(staging.directory, 50_000)
        for name in ("again", "and-again"):
            (staging.directory / name).hardlink_to(staging.directory / "lib" / "deep" / "payload")
        staging.publish({}).close()

    assert store.find(str(key(1))).own_bytes == store.find(str(key(1))).bytes
    assert_exact(store)
    store.remove(key(1))
    assert_exact(store)


def test_a_build_that_another_was_faster_with_counts_only_what_came_into_the_cache(store: Store) -> None:
    counted(store)
    wheel = store.cache / "wheel"
    wheel.write_bytes(b"w" * 5000)
    with store.stage(key(1)) as one, store.stage(key(1)) as two:
        fill(one.directory)
        fill(two.directory)
        one.publish({}).close()
        two.publish({}, allocated(wheel.stat())).close()

    assert_exact(store)


def test_what_a_build_that_failed_left_in_the_cache_is_counted_by_the_next(data: Path, clock: Clock) -> None:
    """It told nobody; a sweep that frees it later must not be entered as if it had."""
    store = counted(small(data, clock))

    def fail() -> None:
        with store.reserve(MB), store.stage(key(1)):
            (store.cache / "wheel").write_bytes(b"w" * 300_000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    counted(store)
    assert store.room().used_bytes == allocated((store.cache / "wheel").stat())
    assert_exact(store)


def test_a_request_with_room_looks_at_nothing_but_the_reservations(store: Store, data: Path) -> None:
    for number in range(5):
        publish(store, number).close()
    counted(store)

    with watched() as seen, store.reserve(MB), store.stage(key(9)) as staging:
        fill(staging.directory)
        staging.publish({}).close()

    below = [(event, Path(path).relative_to(data / "v1").parts) for event, path in seen if str(data) in path]
    assert {parts[0] for _, parts in below} <= {"locks", "reservations", "staging", "ledger.json", "envs"}
    assert {parts[1:2] for _, parts in below if parts[0] == "envs"} <= {(str(key(9)),)}
    assert [parts for event, parts in below if event == "list" and len(parts) == 1] == [("reservations",)]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        '{"used": -1, "grown": 0, "shrunk": 0, "began": "x"}',
        '{"used": "1", "grown": 0, "shrunk": 0, "began": "x"}',
        '{"used": 1}',
    ],
    ids=["lost", "empty", "cut", "negative", "text", "short"],
)
def test_a_ledger_that_cannot_be_is_a_miss_and_is_counted_by_who_needs_it(store: Store, content: str | None) -> None:
    publish(counted(store), 1).close()
    ledger = store.cache.parent / "ledger.json"
    ledger.unlink()
    if content is not None:
        ledger.write_text(content)

    assert store.room().used_bytes is None
    publish(store, 2).close()
    assert store.room().used_bytes is None
    counted(store)
    assert_exact(store)


def test_more_going_than_ever_came_makes_the_ledger_a_miss(data: Path, clock: Clock) -> None:
    """A sweeper that frees what nobody told."""
    store = Store.open(data, Options(10 * MB, 0), clock, sweepers=(lambda: 100 * MB,))
    publish(counted(store), 1).close()
    store.prune(0)

    counted(store)
    assert_exact(store)


def test_nothing_is_refused_by_a_ledger_that_is_too_high(data: Path, clock: Clock) -> None:
    """Somebody told of bytes and never wrote them."""
    store = counted(small(data, clock))
    store.grow(8 * MB)

    with store.reserve(5 * MB):
        assert_exact(store)


def test_an_audit_tells_and_mends_what_nobody_told(store: Store) -> None:
    publish(counted(store), 1).close()
    (store.cache / "untold").write_bytes(b"u" * 5000)
    grown = allocated((store.cache / "untold").stat())
    before = store.room().used_bytes
    assert before is not None

    audit = store.audit()
    assert (audit.kept_bytes, audit.mended_bytes) == (before, grown)
    assert store.room().used_bytes == audit.usage.counted_bytes == before + grown
    (store.cache / "untold").unlink()
    assert store.audit().mended_bytes == -grown
    assert_exact(store)


def test_an_audit_of_a_ledger_that_was_a_miss_says_so_and_fills_it(store: Store) -> None:
    publish(store, 1).close()

    assert store.audit().kept_bytes is None
    assert_exact(store)


@pytest.mark.parametrize("seen", [0, 100, 60])
def test_what_moves_during_an_audit_is_no_error_whether_the_audit_saw_it_or_not(store: Store, seen: int) -> None:
    ledger = Ledger(Layout(store.cache.parent), Options())
    assert ledger.settle(1000, ledger.mark())

    came = ledger.mark()
    ledger.enter(added=100)
    assert ledger.mend(1000 + seen, came) == 0
    went = ledger.mark()
    ledger.enter(freed=100)
    assert ledger.mend(1000 + seen, went) == 0
    assert ledger.mark().used == 1000


def test_an_audit_mends_no_more_than_is_certain(store: Store) -> None:
    ledger = Ledger(Layout(store.cache.parent), Options())
    assert ledger.settle(1000, ledger.mark())

    mark = ledger.mark()
    ledger.enter(added=100)
    ledger.enter(freed=300)
    assert ledger.mend(1150, mark) == 50
    assert ledger.mend(650, mark) == -50
    assert ledger.mark().used == 800


def test_a_ledger_lost_during_a_count_takes_no_sum_of_it(store: Store) -> None:
    ledger = Ledger(Layout(store.cache.parent), Options())
    mark = ledger.mark()
    ledger.forget()

    assert not ledger.settle(1000, mark)
    assert ledger.mend(1000, mark) is None
    ledger.enter(added=1)
    assert not ledger.settle(1000, mark)


def test_who_waits_for_room_gets_it_while_the_other_still_prunes(data: Path, clock: Clock) -> None:
    """The pruning evicts three, and does not come to the second before the other has its room."""
    got, evicting = Event(), 0
    waiting = small(data, clock)

    def ask() -> None:
        with waiting.reserve(3 * MB):
            got.set()

    asking = Thread(target=ask)

    def let_the_other_go_first(step: str) -> None:
        nonlocal evicting
        if step == "evict-locked":
            evicting += 1
            if evicting == 1:
                asking.start()
            else:
                assert got.wait(60), "the room was there and was not given"

    store = small(data, clock, let_the_other_go_first)
    for number in range(1, 4):
        publish(counted(store), number, 3 * MB).close()
    assert len(store.prune(0).evicted) == 3
    asking.join()


ROUNDS = 20


def ask_in_three_threads(data: Path, together: MultiBarrier, answers: Connection) -> None:
    """Sends how many got six megabytes in each round; each keeps what it got until everybody has an answer."""
    store, got = Store(data, Options(10 * MB, free_floor_bytes=0)), [0] * ROUNDS

    def ask() -> None:
        for number in range(ROUNDS):
            together.wait()
            with ExitStack() as kept:
                with suppress(StoreError):
                    kept.enter_context(store.reserve(6 * MB))
                    got[number] += 1
                together.wait()

    threads = [Thread(target=ask) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    answers.send(got)


def test_of_many_threads_and_processes_one_gets_the_last_room(data: Path, clock: Clock) -> None:
    """Two processes of three threads ask at once for six of ten megabytes, again and again."""
    publish(small(data, clock), 1, 3 * MB).close()
    context = get_context("fork")
    together = context.Barrier(6)
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    processes = [context.Process(target=ask_in_three_threads, args=(data, together, theirs)) for _, theirs in pipes]
    for process in processes:
        process.start()
    got = [ours.recv() for ours, _ in pipes]
    for process in processes:
        process.join()
    for ours, theirs in pipes:
        ours.close()
        theirs.close()

    assert [sum(numbers) for numbers in zip(*got, strict=True)] == [1] * ROUNDS
    assert [process.exitcode for process in processes] == [0] * 2
    with small(data, clock).reserve(6 * MB):
        assert len(names(data / "v1" / "reservations")) == 1


def die_at(step: str) -> Callable[[str], None]:
    def die(passed: str) -> None:
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def killed(act: Callable[[], object]) -> bool:
    """Whether the act, in a process of its own, came to where it is killed."""
    process = get_context("fork").Process(target=act)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@pytest.mark.parametrize("step", FAILPOINTS)
def test_whoever_comes_next_mends_what_a_killed_process_did_not_enter(
    store: Store, data: Path, options: Options, clock: Clock, step: str
) -> None:
    """A builder dies with its reservation, an evictor with its area in the trash."""
    publish(counted(store), 1, 100_000).close()
    dying = Store(data, options, clock, die_at(step))

    def build() -> None:
        with dying.reserve(MB):
            publish_sharing(dying, 2, dying.cache / "wheel", new=True)

    assert killed((lambda: dying.prune(0)) if step in EVICTING else build)

    counted(store)
    used = store.room().used_bytes
    assert used is not None
    assert used >= truth(store)
    store.prune()
    counted(store)
    assert_exact(store)


@pytest.mark.parametrize("files", [0, 1, 30, 59])
def test_a_deletion_killed_midway_leaves_the_ledger_too_high_until_the_next_pruning(
    store: Store, data: Path, files: int
) -> None:
    counted(store)
    with store.stage(key(1)) as staging:
        for number in range(60):
            (staging.directory / str(number)).mkdir(parents=True)
            (staging.directory / str(number) / "file").write_bytes(b"x" * 5000)
        staging.publish({}).close()
    before = truth(store)
    program = f"""
import os, signal, sys
from pathlib import Path
from recto.keys import EnvironmentKey
from recto.store import Options, Store
removed = 0
def watch(event, arguments):
    global removed
    if event == "os.remove" and isinstance(arguments[1], int) and arguments[1] >= 0:
        removed += 1
        if removed > {files}:
            os.kill(os.getpid(), signal.SIGKILL)
store = Store(Path({str(data)!r}), Options(free_floor_bytes=0))
sys.addaudithook(watch)
store.remove(EnvironmentKey({str(key(1))!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert store.room().used_bytes == before
    assert (truth(store) < before) == (files > 0)

    store.prune()
    counted(store)
    assert_exact(store)
    assert names(data / "v1" / "trash") == []


class Books(RuleBasedStateMachine):
    """A store in which everything happens, also to die at any step, beside what a walk of it finds."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.written = 0
        self.store = counted(self.open(lambda _: None))
        # A deletion that nobody finished makes the ledger too high by it, until the next pruning.
        self.unfinished = 0

    def open(self, failpoint: Callable[[str], None]) -> Store:
        return Store.open(Path(self.directory.name), Options(free_floor_bytes=0), self.clock, failpoint, (self.sweep,))

    def sweep(self) -> int:
        """Deletes what nothing links to in cache and bytecode, and says what that freed."""
        freed = 0
        for path in [*self.store.cache.iterdir(), *self.store.bytecode.iterdir()]:
            if path.stat().st_nlink == 1:
                freed += allocated(path.stat())
                path.unlink()
        return freed

    def build(self, store: Store, number: int, wheel: int) -> None:
        path = store.cache / f"wheel-{wheel}"
        with store.reserve(MB):
            publish_sharing(store, number, path, new=not path.exists())

    numbers = st.integers(1, 5)
    wheels = st.integers(1, 3)

    @rule(number=numbers, wheel=wheels, seconds=st.integers(-50, 100))
    def publish(self, number: int, wheel: int, seconds: int) -> None:
        self.clock.now += seconds
        self.build(self.store, number, wheel)

    @rule(size=st.integers(0, 50_000))
    def grow(self, size: int) -> None:
        self.written += 1
        path = self.store.bytecode / str(self.written)
        path.write_bytes(b"c" * size)
        self.store.grow(allocated(path.stat()))

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        if self.store.has(key(number)):
            self.store.remove(key(number))

    @rule(part=st.floats(0, 1))
    def evict(self, part: float) -> None:
        self.store.prune(int(truth(self.store) * part))
        self.unfinished = 0

    @rule(number=numbers, wheel=wheels, step=st.sampled_from(FAILPOINTS))
    def die_building(self, number: int, wheel: int, step: str) -> None:
        killed(lambda: self.build(self.open(die_at(step)), number, wheel))

    @rule(number=numbers, wheel=wheels)
    def fail_building(self, number: int, wheel: int) -> None:
        with self.store.reserve(MB), self.store.stage(key(number)) as staging:
            (self.store.cache / f"wheel-{wheel}").write_bytes(b"w" * 300_000)
            fill(staging.directory)

    @rule(step=st.sampled_from(EVICTING))
    def die_evicting(self, step: str) -> None:
        before = truth(self.store)
        killed(lambda: self.open(die_at(step)).prune(0))
        self.unfinished += before - truth(self.store)

    @rule()
    def lose_the_ledger(self) -> None:
        (self.store.cache.parent / "ledger.json").unlink(missing_ok=True)

    @invariant()
    def a_request_finds_the_ledger_not_too_low_and_too_high_by_unfinished_deletions_at_most(self) -> None:
        counted(self.store)
        used = self.store.room().used_bytes
        assert used is not None
        assert truth(self.store) <= used <= truth(self.store) + self.unfinished

    def teardown(self) -> None:
        self.store.audit()
        assert_exact(self.store)
        assert measure([Path(self.directory.name)]) > 0
        self.store.prune(0)
        self.directory.cleanup()


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


def test_the_clock_may_jump_back_and_the_ledger_does_not_mind(store: Store, clock: Clock) -> None:
    publish(counted(store), 1).close()
    clock.now = START - 10**9
    publish(store, 2).close()

    assert_exact(store)
