"""A line of the audit log: one, short, printable, and what was put in comes out."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audited import NOON, entry
from recto.index.audit import Entry
from recto.index.audit.entry import LINE_BYTES_MAX, fields, line

TEXTS = [name for name, kind in Entry.__annotations__.items() if kind == "str"]
FREE = ("package", "file", "rule", "reason", "client")

# Halves of surrogate pairs are what Python makes of bytes in a path that are no UTF-8.
anything = st.text(st.characters(), max_size=600) | st.text('\n\r\x1b\x85\u2028\ud800\U0001f600"\\', max_size=600)
short = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="@=:"), max_size=20)


def test_the_fields_of_texts_are_found() -> None:
    assert len(TEXTS) == 11


@given(st.fixed_dictionaries(dict.fromkeys(TEXTS, anything)), st.integers())
def test_whatever_is_recorded_is_one_short_printable_line(texts: dict[str, str], size: int) -> None:
    written = line(entry(bytes=size, **texts))
    assert len(written) <= LINE_BYTES_MAX
    assert written.endswith(b"}\n")
    assert all(32 <= byte < 127 for byte in written[:-1])
    read = msgspec.json.decode(written, type=Entry)
    assert (read.when, read.verdict) == (NOON, "served")
    assert fields(read) == fields(entry(bytes=size, **texts))


@given(st.fixed_dictionaries(dict.fromkeys(TEXTS, short)), st.none() | st.integers(0, 2**63 - 1))
def test_what_is_short_comes_out_as_it_was(texts: dict[str, str], size: int | None) -> None:
    recorded = entry(bytes=size, **texts)
    assert msgspec.json.decode(line(recorded), type=Entry) == recorded


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_makes_a_second_line(name: str) -> None:
    forged = 'x"}\n{"schema":1,"when":"2026-11-26T12:00:00Z","verdict":"served","file":"a.whl"}\n'
    written = line(entry(**{name: forged}))
    assert written.count(b"\n") == 1
    assert json.loads(written)[name] == forged


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("before", [0, 200, 250, 4000])
def test_no_password_of_an_address_is_recorded_wherever_it_stands(name: str, before: int) -> None:
    address = "https://reader:hunter2hunter2@index.example/simple"
    assert b"hunter2" not in line(entry(**{name: "x" * before + " " + address}))


def test_people_may_have_names_like_credentials() -> None:
    assert fields(entry(subject="user:ann@example.org"))["subject"] == "user:ann@example.org"


def test_a_long_text_is_cut_and_says_so() -> None:
    kept = fields(entry(file="n" * 5000))["file"]
    assert kept == "n" * 250 + "…"


def test_a_text_of_what_takes_most_is_cut_to_the_same_length() -> None:
    kept = fields(entry(file="\U0001f600" * 5000))["file"]
    assert kept == "\U0001f600" * 20 + "…"


@pytest.mark.parametrize("size", [-1, 2**63, 10**5000], ids=range(3))
def test_a_size_that_no_file_can_have_is_not_known(size: int) -> None:
    assert fields(entry(bytes=size))["bytes"] is None


def test_the_time_is_written_in_utc() -> None:
    when = datetime(2026, 11, 26, 14, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert fields(entry(when=when))["when"] == "2026-11-26T12:30:00.123Z"


def test_a_time_without_a_zone_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        entry(when=datetime(2026, 11, 26))  # noqa: DTZ001 - that is what is tried


def test_each_line_names_its_schema() -> None:
    assert line(entry()).startswith(b'{"schema":1,"when":"2026-11-26T12:00:00.000Z","verdict":"served",')
