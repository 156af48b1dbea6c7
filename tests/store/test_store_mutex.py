"""Mutexes: one at a time, and waiting that ends."""

from __future__ import annotations

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
from recto.store import Store

pytest_plugins = ("store_fixtures",)


@contextmanager
def another_process_holds(data: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    program = f"""
import sys
from pathlib import Path
from recto.store import Store
with Store(Path({str(data)!r})).mutex({name!r}, 60):
    print("held", flush=True)
    sys.stdin.readline()
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


def test_another_process_is_kept_out_until_the_wait_is_over(store: Store, data: Path) -> None:
    announced: list[str] = []
    with another_process_holds(data, "k"), pytest.raises(StoreError) as caught:  # noqa: SIM117
        with store.mutex("k", 0.05, waiting=lambda: announced.append("waiting")):
            pytest.fail("two hold the mutex")

    assert caught.value.problems[0].code == "store-wait"
    assert "0.05 s" in caught.value.problems[0].message
    assert announced == ["waiting"]


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


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".ledger", "a\0", "x" * 200])
def test_a_name_that_is_no_file_name_is_a_bug_of_the_caller(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="mutex"):
        store.mutex(name, 0)


def test_a_mutex_makes_the_directory_it_needs(tmp_path: Path) -> None:
    store = Store(tmp_path / "fresh")
    with store.mutex("k", 0):
        assert os.listdir(tmp_path / "fresh" / "v1" / "locks") == ["k"]  # noqa: PTH208
