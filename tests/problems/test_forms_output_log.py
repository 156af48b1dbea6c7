"""The log for a host's panel: for any problems and any text, one entry a problem, at its place, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_panel import MAX_BYTES, Entry, entries
from recto.problems import Edit, Fix, Level, Problem, Source, problem
from recto.problems.forms.output_log import PROBLEMS_MAX, output_log

# Pieces that mean something to the reader of such a log, to a terminal, or to the encodings between.
PIECES = st.sampled_from(
    [
        "! Emergency stop.",
        "/x.py:12: DeprecationWarning: old",
        "./a.tex:3: Undefined",
        "l.7 \\foo",
        "LaTeX Warning: Reference on input line 9",
        "Package pip Warning: a",
        "Runaway argument?",
        "Overfull \\hbox (1pt too wide) in paragraph at lines 3--4",
        "(./chapter.tex",
        ")",
        "(((",
        ":5: ",
        ":5:",
        "lines 44",
        "\n",
        "\n\n\n",
        "\r\n",
        "\r",
        "\x0b",
        "\x1b[31m",
        "\x85",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\u202e",
        "\xa0",
        "\ud800",
        "é",
        "😀",
        "'",
        '"',
        "[",
        ".py ",
        "...",
        "a" * 78,
        "a" * 79,
        "😀" * 39,
        " ",
        "/",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=12) | st.integers(0, 90).map("x".__mul__), max_size=8).map("".join)
LEVELS = st.sampled_from(["error", "warning", "info"])
SOURCES = st.none() | st.builds(Source, TEXTS, st.none() | st.integers(-1, 10_000))
EDITS = st.builds(Edit, TEXTS, st.integers(1, 99), st.none() | TEXTS, st.none() | TEXTS)
FIXES = st.none() | st.builds(Fix, TEXTS, st.lists(EDITS, max_size=3).map(tuple))
PROBLEMS = st.builds(
    Problem,
    code=st.just("render-failed"),
    level=LEVELS,
    message=TEXTS,
    hint=TEXTS,
    package=st.none(),
    source=SOURCES,
    excerpt=TEXTS,
    fix=FIXES,
)


def told(level: Level, message: str, source: Source | None = None, **rest: object) -> Problem:
    return Problem("render-failed", level, message, source=source, **rest)  # type: ignore[arg-type]


@given(st.lists(PROBLEMS, max_size=6), TEXTS)
def test_any_problems_and_any_text_give_one_entry_a_problem_at_its_line(problems: list[Problem], raw: str) -> None:
    # Problems that read the same are one entry, so each gets a line of its own.
    numbered = [
        Problem(
            p.code,
            p.level,
            p.message,
            p.hint,
            None,
            Source(p.source.file if p.source else "a.qmd", n),
            p.excerpt,
            p.fix,
        )
        for n, p in enumerate(problems, 1)
    ]

    found = entries(output_log(numbered, raw))

    assert [(entry.level, entry.line) for entry in found] == [
        ("error" if p.level == "error" else "warning", n) for n, p in enumerate(problems, 1)
    ]
    assert all(entry.file and entry.message for entry in found)


@given(PROBLEMS, TEXTS)
def test_a_problem_without_a_line_is_at_the_first(original: Problem, raw: str) -> None:
    (entry,) = entries(output_log([original], raw, document="paper.qmd"))

    line = original.source.line if original.source else None
    assert entry.line == max(line or 1, 1)
    assert original.source or entry.file == "paper.qmd"


@given(TEXTS)
def test_text_alone_gives_no_entry(raw: str) -> None:
    assert entries(output_log([], raw)) == []


@pytest.mark.parametrize(
    "file",
    [
        "requirements.txt",
        "chapters/my paper.qmd",
        "chapters/résumé 1.qmd",
        "x.qmd",
        "a/b/c.ipynb",
        "Makefile",
        "日本.qmd",
    ],
)
@pytest.mark.parametrize("level", ["error", "warning"])
def test_the_file_is_named_as_the_project_has_it(level: Level, file: str) -> None:
    (entry,) = entries(output_log([told(level, "Something.", Source(file, 3))]))

    assert (entry.file, entry.line) == (file, 3)


@pytest.mark.parametrize("level", ["error", "warning"])
@pytest.mark.parametrize("file", ["/compile/paper.qmd", "./paper.qmd", "/paper.qmd", "paper.qmd"])
def test_a_path_of_the_sandbox_is_one_of_the_project(level: Level, file: str) -> None:
    (entry,) = entries(output_log([told(level, "Something.", Source(file, 3))]))

    assert entry.file == "paper.qmd"


def test_an_error_says_what_to_do_before_the_tools_words() -> None:
    fix = Fix("Write `polars`", (Edit("requirements.txt", 3, "polasr", "polars"),))
    mistyped = problem(
        "no-matching-distribution",
        package="polasr",
        source=Source("requirements.txt", 3),
        excerpt="ERROR: No matching distribution found for polasr\n\n/x.py:3: in pip",
        fix=fix,
    )

    (entry,) = entries(output_log([mistyped]))

    assert entry == Entry(
        "error",
        "requirements.txt",
        3,
        mistyped.message,
        f"  hint: {mistyped.hint}\n"
        "  fix: Write `polars`\n"
        "    requirements.txt:3\n"
        "    - polasr\n"
        "    + polars\n"
        "  ERROR: No matching distribution found for polasr\n"
        "  /x.py:3: in pip\n"
        "l.3 polasr\n\n\n",
    )


def test_a_warning_says_all_on_its_line() -> None:
    (entry,) = entries(
        output_log([told("warning", "Lines 4 and line 5 differ.", Source("a.qmd", 3), hint="See line 6.")])
    )

    assert (entry.line, entry.message) == (3, "Lines 4 and line\xa05 differ. hint: See line\xa06. (line 3)")


@pytest.mark.parametrize("length", range(40, 90))
@pytest.mark.parametrize("letter", ["x", "é", "😀"])
@pytest.mark.parametrize("level", ["error", "warning"])
def test_no_line_is_glued_to_the_next_whatever_its_length(level: Level, letter: str, length: int) -> None:
    words = letter * length
    first = told(level, words, Source("a.qmd", 2), hint=words, excerpt=words)
    second = told("error", "Second.", Source(f"{letter * (length - 20)}.qmd", 4))

    found = entries(output_log([first, second], f"{words}\n! {words}\n"))

    assert [(entry.line, entry.message.startswith(letter)) for entry in found] == [(2, True), (4, False)]


def test_a_long_text_is_cut_in_its_middle_and_the_problems_are_whole() -> None:
    raw = "the beginning\n" + "/x.py:12: é\n" * 300_000 + "the end\n"
    problems = [
        told("error", f"Problem {n}. " + "é" * 5000, Source("a.qmd", n), excerpt="é" * 9000) for n in range(1, 200)
    ]

    log = output_log(problems, raw)

    assert len(log.encode()) <= MAX_BYTES
    assert [entry.line for entry in entries(log)] == list(range(1, PROBLEMS_MAX + 1))
    assert "\n  the beginning\n" in log
    assert log.endswith("\n  the end\n")
    assert len(output_log([], raw).encode()) > MAX_BYTES - 100


def test_problems_that_read_the_same_are_one_entry() -> None:
    same = told("error", "The same.", Source("a.qmd", 2))

    assert len(entries(output_log([same, same]))) == 1


@pytest.mark.parametrize("part", ["message", "hint", "excerpt", "file", "edit", "raw"])
@pytest.mark.parametrize("level", ["error", "warning"])
def test_no_part_shows_a_credential(level: Level, part: str) -> None:
    address = "https://user:hunter2secret@index.example/simple"
    where = Source(address if part == "file" else "a.qmd", 1)
    fix = Fix("Write it", (Edit("a.qmd", 1, address, None),)) if part == "edit" else None
    words = {name: address if part == name else "x" for name in ("message", "hint", "excerpt")}

    log = output_log([told(level, source=where, fix=fix, **words)], address if part == "raw" else "")

    assert "hunter2secret" not in log
    # A warning is one line, and has no room for the tool's words.
    assert ("***@" in log) == ((level, part) != ("warning", "excerpt"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("()[] \"'\\/.:!l\n") | st.just("/a.py:1: b"), max_size=3000).map("".join))
def test_a_text_of_signs_gives_no_entry(raw: str) -> None:
    assert entries(output_log([], raw)) == []
