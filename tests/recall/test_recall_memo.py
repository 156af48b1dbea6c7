"""Memos: given again while everything is as it was, and never otherwise."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recalling import World

from recto.recall.memo import Answer, recalled, remember
from recto.recall.question import Question, question
from rights import held_to_permissions


@pytest.fixture
def world(tmp_path: Path) -> World:
    # What is asked for is a path without links, as the working directory of a shell may not be.
    world = World(tmp_path.resolve())
    world.make()
    return world


def test_an_answer_is_given_again(world: World) -> None:
    assert world.recalled() is None
    world.remember()
    assert world.recalled() == "/envs/1"


def test_the_whole_answer_comes_back(world: World) -> None:
    remember(world.question(), Answer("/envs/1/bin/python", "/envs/1", '[{"code": "ü"}]'), world.evidence())
    answer = recalled(world.question())
    assert answer is not None
    assert (answer.python, answer.prefix, answer.more) == ("/envs/1/bin/python", "/envs/1", '[{"code": "ü"}]')


def _replaced(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))
    path.with_name("elsewhere").write_bytes(data)


def _linked_directory(world: World) -> None:
    (world.project / "more").rename(world.directory / "outside")
    (world.project / "more").symlink_to(world.directory / "outside")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: dict[str, Callable[[World], object]] = {
    "a letter of the declaration": lambda w: (w.project / "requirements.txt").write_text("polarS\n-r more/base.txt\n"),
    "a comment of it": lambda w: (w.project / "requirements.txt").write_text("polars #\n-r more/base.txt\n"),
    "an included file": lambda w: (w.project / "more" / "base.txt").write_text("altair<6\n"),
    "the declaration is gone": lambda w: (w.project / "requirements.txt").unlink(),
    "a file that was not there": lambda w: (w.project / "pylock.toml").touch(),
    "a link in the place of a file, to the same text": lambda w: _replaced(w.project / "requirements.txt"),
    "a link on the way to a file": _linked_directory,
    "a pipe in the place of a file": lambda w: _fifo(w.project / "requirements.txt"),
    "a directory in the place of a file that was not there": lambda w: (w.project / "pylock.toml").symlink_to(
        w.project
    ),
    "a file outside": lambda w: w.elsewhere.write_text("{ }"),
    "a file outside that is gone": lambda w: w.elsewhere.unlink(),
    "a file outside that was not there": lambda w: (w.directory / "config.toml").touch(),
    "the state of a directory": lambda w: os.utime(w.watched, ns=(1, 1)),
    "the state of what was not there": lambda w: (w.directory / "missing.pth").touch(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_a_miss(world: World, change: Callable[[World], object]) -> None:
    world.remember()
    change(world)
    assert world.recalled() is None


def test_what_may_not_be_read_is_a_miss(world: World) -> None:
    world.remember()
    (world.project / "requirements.txt").chmod(0)
    with held_to_permissions():
        assert world.recalled() is None


def test_a_file_touched_without_a_change_is_as_it_was(world: World) -> None:
    world.remember()
    os.utime(world.project / "requirements.txt", ns=(1, 1))
    assert world.recalled() == "/envs/1"


def test_every_variable_of_ours_and_every_directory_is_another_question(world: World, tmp_path: Path) -> None:
    environ = world.environ

    def digest(directory: Path = world.project, **more: str) -> str:
        asked = question(str(directory), {**environ, **more})
        assert asked is not None
        return asked.digest

    digests = [
        digest(),
        digest(world.directory),
        digest(RECTO_INSTALLING="off"),
        digest(RECTO_INSTALLING=""),
        digest(RECTO_BASE="/usr/bin/python3"),
        digest(RECTO_ANYTHING="at all"),
        digest(XDG_CONFIG_HOME="/etc/xdg"),
        digest(HOME="/home/ann"),
    ]
    assert len(set(digests)) == len(digests)
    assert digest(PATH="/elsewhere", LANG="C") == digest()


def test_paths_of_one_question_do_not_run_into_each_other(world: World) -> None:
    first = question(str(world.project), {**world.environ, "RECTO_A": "1", "RECTO_B": "2"})
    second = question(str(world.project), {**world.environ, "RECTO_A": "1RECTO_B=2"})
    assert first is not None
    assert second is not None
    assert first.digest != second.digest


def test_a_data_directory_that_takes_settings_to_find_has_no_question(world: World) -> None:
    assert question(str(world.project), {"HOME": str(world.directory), "RECTO_DATA_DIR": "~/data"}) is None
    assert question(str(world.project), {"HOME": str(world.directory), "RECTO_DATA_DIR": "data"}) is None
    assert question(str(world.project), {"HOME": "relative"}) is None


def test_a_removed_working_directory_has_no_question(world: World, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1])\n"
        "from recto.recall.question import question\n"
        "sys.exit(question('.', {'HOME': '/home/ann'}) is not None)"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code, str(gone)]) == 0


def test_two_questions_of_one_place_replace_each_other(world: World) -> None:
    first = world.question()
    second = Question("f" * 64, first.root, first.memo)
    remember(first, Answer("/a/bin/python", "/a", ""), world.evidence())
    remember(second, Answer("/b/bin/python", "/b", ""), world.evidence())
    assert recalled(first) is None
    found = recalled(second)
    assert found is not None
    assert found.prefix == "/b"


def test_a_shorter_memo_leaves_nothing_of_a_longer_one(world: World) -> None:
    world.remember("/envs/" + "long" * 200)
    world.remember("/envs/2")
    assert world.recalled() == "/envs/2"


def test_a_memo_cut_short_anywhere_is_a_miss(world: World) -> None:
    world.remember()
    memo = Path(world.question().memo)
    whole = memo.read_bytes()
    for length in range(len(whole)):
        memo.write_bytes(whole[:length])
        assert world.recalled() is None, length
    memo.write_bytes(whole)
    assert world.recalled() == "/envs/1"


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_memo_with_any_other_byte_is_a_miss(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    world = World(tmp_path_factory.mktemp("world").resolve())
    world.make()
    world.remember()
    memo = Path(world.question().memo)
    whole = bytearray(memo.read_bytes())
    whole[place % len(whole)] ^= change
    memo.write_bytes(whole)
    assert world.recalled() is None


@pytest.mark.parametrize("garbage", [b"", b"\n", b"\0" * 50, b"x" * 300_000, b"0" * 64 + b"\n"])
def test_garbage_in_the_place_of_a_memo_is_a_miss(world: World, garbage: bytes) -> None:
    memo = Path(world.question().memo)
    memo.parent.mkdir(parents=True)
    memo.write_bytes(garbage)
    assert world.recalled() is None


def test_a_directory_in_the_place_of_a_memo_is_a_miss(world: World) -> None:
    Path(world.question().memo).mkdir(parents=True)
    assert world.recalled() is None


def test_an_answer_with_too_much_evidence_is_not_kept(world: World) -> None:
    many = [*world.evidence(), *(("own", "x" * 4096, "") for _ in range(64))]
    remember(world.question(), Answer("/envs/1/bin/python", "/envs/1", ""), many)
    assert not Path(world.question().memo).exists()


def test_processes_that_write_one_memo_at_once_give_a_whole_answer_or_none(world: World) -> None:
    prefixes = [f"/envs/{letter * (1 + 50 * n)}" for n, letter in enumerate("abcd")]
    writers = [_writer(world, prefix) for prefix in prefixes]
    seen = {world.recalled() for _ in range(400)}
    for writer in writers:
        assert os.waitpid(writer, 0)[1] == 0
    assert seen <= {None, *prefixes}
    world.remember(prefixes[0])
    assert world.recalled() == prefixes[0]


def _writer(world: World, prefix: str) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for _ in range(200):
                world.remember(prefix)
            code = 0
        finally:
            os._exit(code)
    return child
