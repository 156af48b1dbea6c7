"""What is kept of records, and how bad they are."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from osv_records import advisories, record
from recto.index.advisories.collection import pack
from recto.index.advisories.level import Level, level_of_vector

ANY = Version("1.0")
V3_CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V3_LOW = "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"


def level(**more: Any) -> Level:
    return advisories(record("X-1", **more)).at("widget", ANY)[0].level


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Level.HIGH),
        ("AV:L/AC:H/Au:M/C:P/I:N/A:N", Level.LOW),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Level.CRITICAL),
        (V3_LOW, Level.LOW),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Level.LOW),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:L", Level.MODERATE),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Level.CRITICAL),
        ("CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N", Level.MODERATE),
        ("CVSS:3.1/AV:N", None),
        ("CVSS:9.0/AV:N", None),
        ("", None),
    ],
)
def test_vectors_of_each_version_have_a_level(vector: str, expected: Level | None) -> None:
    assert level_of_vector(vector) == expected


@given(st.text(alphabet="CVSS:/34.01AVNLHPRUIESXcau ", max_size=60))
def test_no_text_is_worse_than_unreadable(vector: str) -> None:
    assert level_of_vector(vector) in (None, *Level)


def test_the_worst_vector_counts_also_that_of_the_package() -> None:
    one = record("X-1", severity=[{"type": "CVSS_V3", "score": V3_LOW}])
    assert advisories(one).at("widget", ANY)[0].level == Level.LOW
    one["affected"][0]["severity"] = [{"type": "CVSS_V3", "score": V3_CRITICAL}]
    assert advisories(one).at("widget", ANY)[0].level == Level.CRITICAL


def test_the_word_of_the_database_counts_where_no_vector_can_be_read() -> None:
    word = {"database_specific": {"severity": "MODERATE"}}
    assert level(**word) == Level.MODERATE
    assert level(severity=[{"type": "CVSS_V3", "score": "?"}], **word) == Level.MODERATE
    assert level(severity=[{"type": "CVSS_V3", "score": V3_CRITICAL}], **word) == Level.CRITICAL


def test_what_says_nothing_of_its_severity_is_critical() -> None:
    assert level() == Level.CRITICAL
    assert level(severity=[{"type": "Ubuntu", "score": "low"}], database_specific={"severity": 3}) == Level.CRITICAL


def test_what_says_nothing_has_the_severity_of_its_other_names() -> None:
    low: dict[str, Any] = {"severity": [{"type": "CVSS_V3", "score": V3_LOW}]}
    direct = advisories(record("PYSEC-1", aliases=["GHSA-1"]), record("GHSA-1", **low))
    back = advisories(record("PYSEC-1"), record("GHSA-1", aliases=["PYSEC-1"], **low))
    third = advisories(record("PYSEC-1", aliases=["CVE-1"]), record("GHSA-1", aliases=["CVE-1"], **low))
    levels = [{advisory.level for advisory in each.at("widget", ANY)} for each in (direct, back, third)]
    assert levels == [{Level.LOW}] * 3


def test_what_was_withdrawn_lends_its_severity_to_nothing() -> None:
    low: dict[str, Any] = {"severity": [{"type": "CVSS_V3", "score": V3_LOW}], "withdrawn": "2026-02-01T00:00:00Z"}
    known = advisories(record("PYSEC-1", aliases=["GHSA-1"]), record("GHSA-1", **low))
    assert [(one.id, one.level) for one in known.at("widget", ANY)] == [("PYSEC-1", Level.CRITICAL)]


def test_withdrawn_records_and_other_ecosystems_do_not_count() -> None:
    known = advisories(
        record("X-1", withdrawn="2026-01-02T00:00:00Z"),
        record("X-2", ecosystem="npm"),
        record("X-3", ecosystem="pypi"),
        record("X-4", ecosystem="PyPI:https://example.org"),
    )
    assert [one.id for one in known.at("widget", ANY)] == ["X-3", "X-4"]
    assert (len(known), known.find("X-1")) == (2, None)


def test_of_two_records_with_an_id_the_later_counts_in_either_order() -> None:
    old = record("X-1", versions=["1.0"])
    new = record("X-1", versions=["2.0"], modified="2026-05-01T00:00:00Z")
    for known in (advisories(old, new), advisories(new, old)):
        assert (known.at("widget", Version("1.0")), len(known.at("widget", Version("2.0")))) == ((), 1)
    gone = {**old, "modified": "2026-06-01T00:00:00Z", "withdrawn": "2026-06-01T00:00:00Z"}
    assert [len(advisories(*order)) for order in ([old, gone], [gone, old])] == [0, 0]


def test_names_are_normalised() -> None:
    known = advisories(record("X-1", name="Zope.Interface_2"))
    assert (known.known("zope-interface-2"), known.known("Zope.Interface_2")) == (True, False)


def test_the_digest_goes_by_content_alone() -> None:
    one, two = record("X-1"), record("X-2")
    assert advisories(one, two).digest == advisories(two, dict(reversed(one.items()))).digest
    assert len({advisories(*each).digest for each in ([], [one], [two], [one, {**two, "summary": "s"}])}) == 4


def test_malicious_and_vulnerable_are_told_apart() -> None:
    known = advisories(record("MAL-2026-1"), record("PYSEC-1"), record("GHSA-1", name="gadget"))
    bad, weak = known.only(malicious=True), known.only(malicious=False)
    assert ([one.id for one in bad.at("widget", ANY)], bad.known("gadget")) == (["MAL-2026-1"], False)
    assert ([one.id for one in weak.at("widget", ANY)], weak.known("gadget")) == (["PYSEC-1"], True)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": None}, "$.id"),
        ({"id": "X 1\nY"}, "$.id"),
        ({"id": "x" * 200}, "$.id"),
        ({"withdrawn": ""}, "$.withdrawn"),
        ({"affected": {}}, "$.affected"),
        ({"affected": [{"package": {"name": "x"}}]}, "$.affected[0].package"),
        ({"affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": [1]}]}, "$.affected[0].versions[0]"),
        (
            {"affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [{"events": []}]}]},
            "$.affected[0].ranges[0]",
        ),
    ],
)
def test_what_differs_from_the_schema_is_named_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match="- at `") as caught:
        pack({**record("X-1"), **change})
    assert f"`{place}`" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["id", "modified", "withdrawn", "aliases", "severity", "affected", "database_specific"]


@given(st.sampled_from(FIELDS), JSON, JSON)
def test_any_json_is_a_record_or_an_error(field: str, value: object, whole: object) -> None:
    for document in ({**record("X-1"), field: value}, whole):
        try:
            packed = pack(document)
        except ValueError:
            continue
        assert packed is None or packed.id


def test_null_is_absent_where_databases_write_it() -> None:
    document = {**record("X-1"), "aliases": None, "severity": None, "database_specific": None, "withdrawn": None}
    document["affected"][0] |= {"versions": None, "ranges": None}
    assert [one.id for one in advisories(document).at("widget", ANY)] == ["X-1"]


def test_a_set_that_was_exchanged_goes_at_once() -> None:
    known = advisories(record("X-1"))
    assert known.at("widget", ANY)
    gone = weakref.ref(known)
    gc.disable()
    del known
    try:
        assert gone() is None
    finally:
        gc.enable()
