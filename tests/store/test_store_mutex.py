"""Mutexes: one at a time, and waiting that ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stored import names

from recto.problems import Cancelled, StoreError
from recto.store import Store, Turn, Words
from recto.store.holds import EXCLUSIVE, hold
from recto.store.mutex import mutex

pytest_plugins = ("store_fixtures",)


@contextmanager
def held(store: Store, name: str) -> Iterator[Turn]:
    with store.mutex(name, 0) as turn:
        assert turn is not None
        yield turn


@contextmanager
def another_process_holds(data: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    program = f"""
import sys
from pathlib import Path
from recto.store import Store
with Store(Path({str(data)!r})).mutex({name!r}, 60) as turn:
    turn.say({{"step": 1}})
    print("held", flush=True)
    for line in sys.stdin:
        if line == "\\n":
            break
        turn.say({{"step": int(line)}})
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.makes("store-wait")
def test_another_process_is_kept_out_until_the_wait_is_over(store: Store, data: Path) -> None:
    announced: list[str] = []
    with another_process_holds(data, "k"), pytest.raises(StoreError) as caught:  # noqa: SIM117
        with store.mutex("k", 0.05, waiting=lambda: announced.append("waiting")):
            pytest.fail("two hold the mutex")

    assert caught.value.problems[0].code == "store-wait"
    assert "0.05 s" in caught.value.problems[0].message
    assert announced == ["waiting"]


@pytest.mark.makes("store-busy")
def test_who_deletes_says_so_when_another_is_at_it_for_too_long(store: Store, data: Path) -> None:
    path = data / "v1" / "locks" / ".prune"
    descriptor = hold(path, EXCLUSIVE, os.O_RDONLY | os.O_CREAT)
    assert descriptor is not None
    with pytest.raises(StoreError) as caught, mutex(path, 0.05, late="store-busy"):
        pytest.fail("two delete")
    os.close(descriptor)

    assert [found.code for found in caught.value.problems] == ["store-busy"]
    store.prune()


def test_whoever_waits_may_be_cancelled(store: Store, data: Path) -> None:
    answers = iter([False, False, True])
    with another_process_holds(data, "k"), pytest.raises(Cancelled) as caught:  # noqa: SIM117
        with store.mutex("k", 60, cancelled=lambda: next(answers)):
            pytest.fail("two hold the mutex")

    assert caught.value.problems[0].code == "cancelled"
    assert list(answers) == []


def test_a_free_mutex_announces_no_wait_and_asks_nobody(store: Store) -> None:
    asked: list[str] = []

    def cancelled() -> bool:
        asked.append("cancelled")
        return False

    with store.mutex("k", 0, waiting=lambda: asked.append("waiting"), cancelled=cancelled):
        assert asked == []


def test_a_mutex_is_busy_while_another_process_holds_it(store: Store, data: Path) -> None:
    assert not store.busy("k")
    with another_process_holds(data, "k"):
        assert store.busy("k")
        assert not store.busy("other")
    assert not store.busy("k")


def test_whoever_waits_hears_what_the_holder_says_each_thing_once(store: Store, data: Path) -> None:
    said: list[object] = []
    with another_process_holds(data, "k") as process:

        def heard(words: Words) -> None:
            said.append(words["step"])
            assert process.stdin is not None
            print(2 if words["step"] == 1 else "", file=process.stdin, flush=True)

        with store.mutex("k", 60, heard=heard):
            pass
    assert said == [1, 2]


def test_whoever_waits_for_what_others_have_done_goes_on_without_the_mutex(store: Store, data: Path) -> None:
    asked: list[str] = []
    with another_process_holds(data, "k") as process:

        def needless() -> bool:
            asked.append("needless")
            assert process.stdin is not None
            print(2, file=process.stdin, flush=True)
            return len(asked) == 2

        with store.mutex("k", 60, needless=needless) as turn:
            assert turn is None
            assert store.busy("k")
            assert names(data / "v1" / "locks") == ["k"]
    assert len(asked) == 2


def test_nobody_asks_whether_a_free_mutex_is_needed(store: Store) -> None:
    with store.mutex("k", 60, needless=lambda: True) as turn:
        assert turn is not None


def test_what_a_killed_holder_said_is_forgotten(store: Store, data: Path) -> None:
    with another_process_holds(data, "k") as process:
        process.kill()
        process.wait()
    mutex = data / "v1" / "locks" / "k"
    assert mutex.read_bytes() == b'{"step": 1}'
    with store.mutex("k", 0):
        assert mutex.read_bytes() == b""


def test_a_short_word_leaves_nothing_of_a_long_one(store: Store, data: Path) -> None:
    with held(store, "k") as turn:
        for words in ({"message": "x" * 100}, {"message": "y"}):
            turn.say(words)
            assert json.loads((data / "v1" / "locks" / "k").read_bytes()) == words


@pytest.mark.parametrize("junk", [b"{", b"[]", b"\xff", b"[" * 4096, b"1" * 10_000])
def test_a_holder_that_speaks_rubbish_is_waited_for_all_the_same(store: Store, data: Path, junk: bytes) -> None:
    heard: list[Words] = []
    with store.mutex("k", 0):
        (data / "v1" / "locks" / "k").write_bytes(junk)
        with pytest.raises(StoreError), store.mutex("k", 0.05, heard=heard.append):
            pytest.fail("two hold the mutex")
    assert heard == []


def test_what_does_not_fit_into_a_page_is_a_bug_of_the_holder(store: Store) -> None:
    with held(store, "k") as turn, pytest.raises(ValueError, match="bytes"):
        turn.say({"message": "x" * 4096})


def test_a_disk_that_takes_no_word_stops_nothing(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_RDWR)
    with pytest.raises(OSError, match="space"):
        os.pwrite(full, b"x", 0)
    Turn(tmp_path / "k", full).say({"step": 1})
    os.close(full)


def test_the_holder_sees_whether_anybody_waits(store: Store, data: Path) -> None:
    waiting, leave = threading.Event(), threading.Event()

    def wait() -> None:
        with pytest.raises(Cancelled), store.mutex("k", 60, waiting=waiting.set, cancelled=leave.is_set):
            pytest.fail("two hold the mutex")

    with held(store, "k") as turn:
        assert not turn.awaited()
        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
            assert waiting.wait(60)
            waiting.clear()
            assert turn.awaited()
        assert names(data / "v1" / "locks") == ["k", "k@waiting"]
        store.prune()
        assert names(data / "v1" / "locks") == ["k", "k@waiting"]
        leave.set()
        for thread in threads:
            thread.join()
        assert not turn.awaited()
        assert names(data / "v1" / "locks") == ["k"]


def test_a_killed_waiter_waits_no_more(store: Store, data: Path) -> None:
    program = f"""
from pathlib import Path
from recto.store import Store
with Store(Path({str(data)!r})).mutex("k", 60, waiting=lambda: print("waiting", flush=True)):
    pass
"""
    with held(store, "k") as turn:
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "waiting\n"
            assert turn.awaited()
            process.kill()
        assert not turn.awaited()
    store.prune()
    assert names(data / "v1" / "locks") == []


def test_other_names_are_not_kept_out(store: Store, data: Path) -> None:
    with another_process_holds(data, "k"), store.mutex("other", 0):
        assert store.busy("k")
        assert store.busy("other")


def test_the_mutex_of_a_killed_process_is_free(store: Store, data: Path) -> None:
    with another_process_holds(data, "k") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not store.busy("k")
        with store.mutex("k", 0):
            assert store.busy("k")


def test_a_waiter_goes_on_as_soon_as_the_holder_lets_go(store: Store, data: Path) -> None:
    with another_process_holds(data, "k") as process:
        assert process.stdin is not None

        def let_go() -> None:
            assert process.stdin is not None
            print(file=process.stdin, flush=True)

        with store.mutex("k", 60, waiting=let_go):
            pass
        assert process.wait() == 0


def test_nothing_is_left_of_a_mutex_that_was_let_go(store: Store, data: Path) -> None:
    with store.mutex("k", 0):
        assert names(data / "v1" / "locks") == ["k"]
    assert names(data / "v1" / "locks") == []


def test_threads_of_one_process_take_turns_while_the_file_comes_and_goes(store: Store, data: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def take_turns() -> None:
        for _ in range(50):
            with store.mutex("k", 60):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=take_turns) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 200
    assert names(data / "v1" / "locks") == []


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".ledger", "k@waiting", "a\0", "x" * 200])
def test_a_name_that_is_no_file_name_is_a_bug_of_the_caller(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        store.mutex(name, 0)


def test_a_mutex_makes_the_directory_it_needs(tmp_path: Path) -> None:
    store = Store(tmp_path / "fresh")
    with store.mutex("k", 0):
        assert os.listdir(tmp_path / "fresh" / "v1" / "locks") == ["k"]  # noqa: PTH208
