"""Questions and answers in the shape of OSV's service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osv_records import advisories, record
from recto.index.advisories.query import QUERIES_MAX, answer_batch, answer_query, answer_record

LOW = record("X-1", name="Widget", versions=["1.0"], summary="weak")
MAL = record("MAL-1", versions=["1.0", "2.0"])
KNOWN = advisories(LOW, MAL, record("X-9", name="gadget", events=[{"introduced": "0"}, {}, {"fixed": "3"}]))
PYPI = {"name": "widget", "ecosystem": "PyPI"}


def ids(query: object) -> list[str]:
    return [one["id"] for one in answer_query(KNOWN, query).get("vulns", [])]


@pytest.mark.parametrize(
    "query",
    [
        {"package": PYPI, "version": "1.0"},
        {"package": {"name": "WIDGET", "ecosystem": "pypi"}, "version": "v1"},
        {"package": {"purl": "pkg:pypi/widget@1.0"}},
        {"package": {"purl": "pkg:pypi/Widget"}, "version": "1.0.0"},
        {"package": {"purl": "pkg:pypi/widget@1.0%2Bcu1?arch=any#sub"}},
        {"package": PYPI, "version": "1.0", "page_token": "", "commit": None},
        {"package": {**PYPI, "purl": ""}},
    ],
)
def test_the_same_thing_can_be_asked_in_several_ways(query: object) -> None:
    assert ids(query) == ["MAL-1", "X-1"]


def test_a_version_narrows_the_answer() -> None:
    assert ids({"package": PYPI, "version": "2.0"}) == ["MAL-1"]
    assert answer_query(KNOWN, {"package": PYPI, "version": "3.0"}) == {}
    assert answer_query(KNOWN, {"package": {"name": "unheard-of", "ecosystem": "PyPI"}}) == {}


def test_records_are_whole_with_normalised_names_and_no_empty_events() -> None:
    (found,) = answer_query(KNOWN, {"package": {"purl": "pkg:pypi/gadget@2"}})["vulns"]
    assert found["affected"][0]["ranges"] == [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3"}]}]
    weak = answer_record(KNOWN, "X-1")
    assert weak is not None
    assert (weak["summary"], weak["affected"][0]["package"]) == ("weak", {"ecosystem": "PyPI", "name": "widget"})


def test_a_batch_answers_each_question_shortly_and_in_order() -> None:
    queries = [{"package": PYPI, "version": "2.0"}, {"package": PYPI, "version": "3.0"}, {"package": PYPI}]
    modified = "2026-01-01T00:00:00Z"
    assert answer_batch(KNOWN, {"queries": queries}) == {
        "results": [
            {"vulns": [{"id": "MAL-1", "modified": modified}]},
            {},
            {"vulns": [{"id": "MAL-1", "modified": modified}, {"id": "X-1", "modified": modified}]},
        ]
    }
    assert answer_batch(KNOWN, {"queries": []}) == {"results": []}


def test_an_id_that_is_not_known_has_no_record() -> None:
    assert (answer_record(KNOWN, "X-2"), answer_record(KNOWN, "")) == (None, None)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (None, "not an object"),
        ([], "not an object"),
        ({}, "no object `package`"),
        ({"package": "widget"}, "no object `package`"),
        ({"package": {"ecosystem": "PyPI"}}, "no `name`"),
        ({"package": {"name": "widget"}}, "not `PyPI`"),
        ({"package": {"name": "widget", "ecosystem": "npm"}}, "not `PyPI`"),
        ({"package": {"name": ["widget"], "ecosystem": "PyPI"}}, "no `name`"),
        ({"package": {"purl": "pkg:npm/widget@1.0"}}, "pkg:pypi/"),
        ({"package": {"purl": "pkg:pypi/"}}, "pkg:pypi/"),
        ({"package": {"purl": 3}}, "pkg:pypi/"),
        ({"package": {"purl": "pkg:pypi/widget", "name": "widget"}}, "either a `purl`"),
        ({"package": {"purl": "pkg:pypi/widget@1"}, "version": "1"}, "both"),
        ({"package": PYPI, "version": "abc"}, "'abc'"),
        ({"package": PYPI, "version": "9" * 5000}, "not a version"),
        ({"package": PYPI, "version": 1.0}, "not a text"),
        ({"package": PYPI, "page_token": "x"}, "page_token"),
        ({"commit": "6879efc2c1596d11a6a6ad296f80063b558d5e0f"}, "commits"),
    ],
)
def test_what_cannot_be_answered_is_said(query: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        answer_query(KNOWN, query)
    with pytest.raises(ValueError, match=f"question 1: .*{reason}"):
        answer_batch(KNOWN, {"queries": [{"package": PYPI}, query]})


@pytest.mark.parametrize("batch", [None, [], {}, {"queries": {}}, {"queries": None}])
def test_a_batch_is_a_list_of_questions(batch: object) -> None:
    with pytest.raises(ValueError, match="no list `queries`"):
        answer_batch(KNOWN, batch)


def test_a_batch_has_a_most() -> None:
    asked = [{"package": PYPI, "version": "2.0"}] * QUERIES_MAX
    assert len(answer_batch(KNOWN, {"queries": asked})["results"]) == QUERIES_MAX
    with pytest.raises(ValueError, match="at most 1000"):
        answer_batch(KNOWN, {"queries": [*asked, asked[0]]})


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
LEAVES |= st.sampled_from(["PyPI", "widget", "1.0", "pkg:pypi/widget@1.0", "pkg:pypi/%00@%ff"])
KEYS = st.sampled_from(["package", "name", "ecosystem", "purl", "version", "queries", "commit", "page_token"])
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "package": st.fixed_dictionaries({}, optional={"name": LEAVES, "ecosystem": LEAVES, "purl": LEAVES}) | JSON,
        "version": LEAVES,
        "page_token": LEAVES,
    },
)


@given(JSON | QUERIES)
def test_any_question_has_an_answer_in_json_or_a_sentence(query: Any) -> None:
    for answer, asked in ((answer_query, query), (answer_batch, query), (answer_batch, {"queries": [query]})):
        try:
            told = answer(KNOWN, asked)
        except ValueError as error:
            told = {"message": str(error)}
        assert json.loads(json.dumps(told))
