"""What happens to a text before it is read, and to an excerpt before it is shown."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recto.problems.diagnosis import clean, decode, diagnose, redacted
from recto.problems.diagnosis.redact import excerpt
from recto.problems.diagnosis.text import HEAD_CHARACTERS, HEAD_LINES, TAIL_CHARACTERS, TAIL_LINES, bounded

WORDS = [
    "error: ",
    "ERROR: ",
    "No solution found when resolving dependencies\n",
    "Because ",
    "you require a>1 and b<2",
    " depends on ",
    ", we can conclude that ",
    "Could not find a version that satisfies the requirement ",
    "(from versions: none)",
    "subprocess-exited-with-error\n",
    "ModuleNotFoundError: No module named 'x'\n",
    "FooError: \n",
    "Traceback (most recent call last)\n",
    "Couldn't parse requirement in `a` at position 0\n",
    "[Errno 13] Permission denied: 'x'\n",
    " \n",
    "\r",
    "\x1b[31m",
    "https://user:secret@host/",
    "'",
]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("né".encode(), "né"),
        ("né".encode("utf-8-sig"), "né"),
        ("né".encode("utf-16"), "né"),
        (b"\xfe\xff\x00n", "n"),
        ("“né”".encode("cp1252"), "“né”"),
        (b"\x81\x8d", "\x81\x8d"),
        (b"", ""),
    ],
)
def test_bytes_become_text_by_mark_then_utf8_then_the_western_code_page(data: bytes, text: str) -> None:
    assert decode(data) == text


@given(st.binary(max_size=200))
def test_any_bytes_can_be_decoded(data: bytes) -> None:
    assert isinstance(decode(data), str)


def test_colours_and_the_earlier_states_of_a_progress_bar_are_gone() -> None:
    assert clean("\x1b[31mred\x1b[0m\n 10%\r 50%\r100%\r\n") == "red\n100%\n"


def test_lines_that_a_console_broke_are_put_together_again() -> None:
    broken = (
        "ERROR: Could not find \na version that \nsatisfies the \nrequirement pandas-ta \n(from versions: none)\n"
        "ERROR: No matching \ndistribution found for \npandas-ta\n"
    )

    assert "satisfies the requirement pandas-ta (from versions: none)\n" in clean(broken)
    assert diagnose(broken)[0].package == "pandas-ta"


def test_text_that_no_console_broke_keeps_its_lines() -> None:
    text = "first line\nsecond line\n  indented \nthird\n"

    assert clean(text) == text


def test_the_clock_of_a_container_build_or_a_runner_is_no_part_of_a_line() -> None:
    assert (
        clean("#8 18.58 ERROR: x\n18.58 ERROR: y\n2026-04-17T20:56:38.3348895Z ERROR: z")
        == "ERROR: x\nERROR: y\nERROR: z"
    )


def test_a_long_text_is_read_at_its_head_and_its_tail() -> None:
    long = f"head{'x' * 5_000_000}tail"
    many = "\n".join(map(str, range(200_000)))

    assert len(bounded(long)) <= HEAD_CHARACTERS + TAIL_CHARACTERS + 1
    assert bounded(long).startswith("head")
    assert bounded(long).endswith("tail")
    assert bounded(many).count("\n") + 1 == HEAD_LINES + TAIL_LINES
    assert bounded(many).endswith("199999")


@pytest.mark.parametrize(
    "secret",
    [
        "https://user:hunter2secret@index.example/simple",
        "https://hunter2secret@index.example/simple",
        "Authorization: Bearer hunter2secret",
        "API_KEY=hunter2secret",
        '"password": "hunter2secret"',
    ],
)
def test_credentials_are_blotted_out(secret: str) -> None:
    assert "hunter2secret" not in redacted(f"error: cannot read {secret} now")
    assert "hunter2secret" not in diagnose(f"error: cannot read {secret} now")[0].excerpt


def test_tokens_of_well_known_forms_are_blotted_out() -> None:
    assert redacted("token is ghp_0123456789abcdefghij here") == "token is *** here"


def test_an_excerpt_is_short_and_keeps_first_and_last_lines() -> None:
    shown = excerpt("\n".join(f"line {number} {'x' * 500}" for number in range(100)))

    assert shown.count("\n") < 12
    assert len(shown) <= 2000
    assert shown.startswith("line 0 ")
    assert "\nline 99 " in shown


def test_a_text_that_says_nothing_gives_its_most_telling_lines() -> None:
    problems = diagnose("all went well\nwidget failed to spin\ngood bye\n")

    assert [problem.code for problem in problems] == ["cause-unknown"]
    assert problems[0].excerpt == "widget failed to spin"


@settings(deadline=None)
@given(st.text(max_size=400) | st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=40).map("".join))
def test_any_text_gives_one_to_eight_bounded_problems(text: str) -> None:
    problems = diagnose(text)

    assert 1 <= len(problems) <= 8
    for problem in problems:
        assert len(problem.excerpt) <= 2000
        assert len(problem.message) <= 1000
        assert "user:secret@" not in problem.excerpt + problem.message


@pytest.mark.parametrize("word", WORDS)
def test_five_million_characters_of_one_word_end(word: str) -> None:
    assert diagnose(word * (5_000_000 // len(word)))


# One reader's own words, repeated and nested in ways that make a pattern try again.
ADVERSARIAL = [
    "pip-install-a/" * 90,
    "Downloading a-a-a-a-a-a-",
    "Downloading " + "a-" * 600,
    "from pip import x\n",
    '/pip/_internal/x.py", line 3\n',
    "Invalid requirement: ",
    "Invalid requirement: a:b@",
    "Invalid requirement: 'a': b\n" + " " * 300 + "\n" + " " * 300 + "^" * 300,
    "Discarding exit status ",
    "a:" * 700,
    "://a:" * 300,
    "x.lua:",
    "No solution found when resolving\nBecause you require one of: " + "a>1,<2 " * 99,
    "No solution found when resolving\nBecause a depends on one of: " + "a>1,<2,,>3" * 40,
    "----- stdout -----\nA: b\n",
    " | A: b | ",
    "FATAL (",
    "Processing a ",
    "due to an OSError: [Errno 2] No such file or directory: 'a' ",
    "you require a and a, a and ",
    "Unexpected 'a', expected '-c', ",
    "\x1b]" + "\x1b[" * 30,
    "a." * 500 + "Error: ",
]


@pytest.mark.parametrize("ending", ["", "\n"])
@pytest.mark.parametrize("word", ADVERSARIAL)
def test_words_made_to_be_tried_again_end(word: str, ending: str) -> None:
    piece = word + ending

    # A minute of processor time is a hundred times what these take; a pattern that backtracks takes hours.
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from recto.problems.diagnosis import diagnose; diagnose(sys.stdin.read())"],
        input=("ERROR: Failed building wheel for a\n" + piece * (200_000 // len(piece))).encode(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )

    assert done.returncode == 0
