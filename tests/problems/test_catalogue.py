"""The catalogue: complete, worded in plain sentences, and documented as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.problems import KINDS, Edit, Fix, Problem, Source, problem
from recto.problems.kind import Kind
from recto.problems.reference import catalogue_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "problems.md"

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)

texts = st.text(max_size=30)
lines = st.integers(min_value=1, max_value=10_000)
sources = st.none() | st.builds(Source, texts, st.none() | lines)
edits = st.builds(Edit, texts, lines, st.none() | texts, st.none() | texts)
fixes = st.none() | st.builds(Fix, texts, st.lists(edits, max_size=3).map(tuple))
problems = st.builds(
    Problem,
    code=st.sampled_from(sorted(KINDS)),
    level=st.sampled_from(["error", "warning", "info"]),
    message=texts,
    hint=texts,
    package=st.none() | texts,
    source=sources,
    excerpt=texts,
    fix=fixes,
)


@each_kind
def test_the_example_of_a_kind_fills_its_words(kind: Kind) -> None:
    filled = problem(kind.code, **kind.example)  # type: ignore[arg-type]

    assert (filled.code, filled.level) == (kind.code, kind.level)
    assert "{" not in filled.message.replace("${", "")
    assert "{" not in filled.hint.replace("${", "")


@each_kind
def test_a_kind_speaks_in_short_plain_sentences(kind: Kind) -> None:
    for words in (kind.meaning, kind.message.format(**kind.example), kind.hint.format(**kind.example)):
        assert words.endswith("."), words
        assert words[0].isupper() or words[0] in "`0123456789", words
        assert "please" not in words.lower(), words
        assert len(words) <= 200, words


@each_kind
def test_a_kind_stands_under_its_own_code(kind: Kind) -> None:
    assert KINDS[kind.code] is kind


def test_an_unknown_code_or_a_missing_fact_is_a_bug() -> None:
    with pytest.raises(KeyError):
        problem("no-such-code")
    with pytest.raises(KeyError):
        problem("no-matching-version", package="polars")


@given(problems)
def test_a_problem_survives_its_json(original: Problem) -> None:
    assert Problem.from_json(json.loads(json.dumps(original.to_json()))) == original


@given(problems, st.sampled_from(["code", "level", "message", "hint", "package", "source", "excerpt", "fix"]))
def test_a_problem_without_one_of_its_keys_is_refused(original: Problem, key: str) -> None:
    value = original.to_json()
    del value[key]

    with pytest.raises(KeyError):
        Problem.from_json(value)


def test_the_reference_page_is_what_the_catalogue_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue_page()


def test_the_reference_page_has_an_entry_for_every_code() -> None:
    page = catalogue_page()

    assert [code for code in KINDS if f"### `{code}`\n" not in page] == []
