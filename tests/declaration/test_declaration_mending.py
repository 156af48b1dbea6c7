"""Edits carried out on the bytes of a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.declaration.mending import Stale, compatible, mended
from recto.declaration.text import Unreadable, lines_of
from recto.problems import Edit, Fix

FILE = "requirements.txt"


def change(line: int, old: str, new: str | None) -> Edit:
    return Edit(FILE, line, old, new)


def insert(line: int, new: str) -> Edit:
    return Edit(FILE, line, None, new)


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        (b"a\nb\nc\n", [change(2, "b", "B")], b"a\nB\nc\n"),
        (b"a\nb\nc\n", [change(2, "b", None)], b"a\nc\n"),
        (b"a\nb", [change(2, "b", None)], b"a\n"),
        (b"a\r\nb\r\n", [change(1, "a", "A"), insert(1, "first")], b"first\r\nA\r\nb\r\n"),
        (b"a\r\nb\r\n", [insert(3, "c")], b"a\r\nb\r\nc\r\n"),
        (b"a\nb", [insert(3, "c")], b"a\nb\nc\n"),
        (b"a\rb\r", [change(1, "a", "x"), change(2, "b", "y")], b"x\ry\r"),
        (b"", [insert(1, "a")], b"a\n"),
        (None, [insert(1, "a"), insert(1, "b")], b"a\nb\n"),
        (b"a\nb\nc\n", [change(1, "a", None), insert(1, "x"), insert(2, "y")], b"x\ny\nb\nc\n"),
        (b"\xef\xbb\xbfa\n", [change(1, "a", "b")], b"\xef\xbb\xbfb\n"),
        ("\ufeffa\r\nä\r\n".encode("utf-16-le"), [change(2, "ä", "ö")], "\ufeffa\r\nö\r\n".encode("utf-16-le")),
        ("ab\n".encode("utf-16-be"), [change(1, "ab", "cd")], "cd\n".encode("utf-16-be")),
        (b"a\x0bb\x0c\n", [change(1, "a\x0bb\x0c", "c")], b"c\n"),
    ],
)
def test_what_a_file_holds_afterwards(before: bytes | None, edits: list[Edit], after: bytes) -> None:
    assert mended(before, edits) == after


@pytest.mark.parametrize(
    "edits",
    [
        [change(1, "another", "x")],
        [change(4, "", None)],
        [insert(5, "x")],
        [insert(0, "x")],
        [change(1, "a", "b"), change(1, "a", "c")],
    ],
)
def test_an_edit_of_another_file_than_this_changes_nothing(edits: list[Edit]) -> None:
    with pytest.raises(Stale):
        mended(b"a\nb\n", edits)


def test_what_is_no_text_is_not_edited() -> None:
    with pytest.raises(Unreadable):
        mended(b"\xff\xfe\xfa\xfb\xff", [insert(1, "x")])


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cc", "Cs"], max_codepoint=0x2FF), max_size=8), min_size=1, max_size=8
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_only_the_lines_that_are_named_change(lines: list[str], end: str, data: st.DataObject) -> None:
    text = end.join(lines)
    lines = lines_of(text)
    chosen = data.draw(st.sets(st.integers(1, len(lines))))
    edits = [change(number, lines[number - 1], f"new {number}") for number in chosen]
    expected = [f"new {number}" if number in chosen else line for number, line in enumerate(lines, 1)]
    assert lines_of(mended(text.encode(), edits).decode()) == expected


def test_of_two_fixes_of_one_line_the_first_is_made() -> None:
    first = Fix("first", (change(1, "a", "b"), change(3, "c", None)))
    assert compatible(first, [])
    assert not compatible(Fix("second", (change(3, "c", "d"),)), [first])
    assert compatible(Fix("third", (change(2, "b", "x"),)), [first])
    assert not compatible(Fix("nothing", ()), [])
