"""Problems as lines for a terminal and as JSON."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from recto.problems import Edit, Fix, Problem, Source
from recto.problems.forms.as_json import json_form
from recto.problems.forms.terminal import terminal_lines

FULL = Problem(
    "no-matching-distribution",
    "error",
    "There is no package named `polasr`.",
    "Did you mean `polars`?",
    "polasr",
    Source("requirements.txt", 3),
    "ERROR: No matching distribution\n\nfound for polasr\n",
    Fix("Write `polars`", (Edit("requirements.txt", 3, "polasr", "polars"), Edit("requirements.txt", 4, None, "x"))),
)


def test_what_and_where_come_first_then_the_tools_words_the_hint_and_the_edit() -> None:
    assert terminal_lines(FULL) == [
        "error: requirements.txt:3: There is no package named `polasr`.",
        "    ERROR: No matching distribution",
        "    found for polasr",
        "  hint: Did you mean `polars`?",
        "  fix: Write `polars`",
        "    requirements.txt:3",
        "    - polasr",
        "    + polars",
        "    requirements.txt:4",
        "    + x",
    ]


def test_only_the_words_that_mark_are_painted() -> None:
    painted = terminal_lines(FULL, lambda word: f"<{word}>")

    assert [line.partition(":")[0].strip() for line in painted if "<" in line] == ["<error>", "<hint>", "<fix>"]


@given(st.text() | st.sampled_from(["\x1b[2J", "a\rb", "\x9b31m", "\u202ea", "\ud800"]))
def test_no_text_moves_the_cursor_or_starts_a_line_of_its_own(text: str) -> None:
    told = Problem("x", "error", text, text, None, Source(text, 1), text, Fix(text, (Edit(text, 1, text, text),)))

    for line in terminal_lines(told):
        assert line.splitlines() in ([line], [])
        assert not any(sign in line for sign in "\x00\x07\x08\x1b\x7f\x9b\r\n\u202e\ufeff")
        assert line.encode()


def test_the_json_form_has_every_problem_in_order() -> None:
    value = json.loads(json.dumps(json_form([FULL, FULL.as_warning()])))

    assert [Problem.from_json(entry) for entry in value["problems"]] == [FULL, FULL.as_warning()]
