"""Which versions an advisory holds for, against the schema's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from osv_records import Json, advisories, record
from recto.index.advisories.record import Affected, Event, Range
from recto.index.advisories.timeline import Advisory, Timeline


def held(version: str, *records: Json, project: str = "widget") -> list[str]:
    return [advisory.id for advisory in advisories(*records).at(project, Version(version))]


def test_what_is_listed_holds_however_the_version_is_spelt() -> None:
    listed = record("X-1", versions=["1.0", "v2.0-RC1", "not a version"])
    assert [bool(held(version, listed)) for version in ("1", "1.0.0", "2.0rc1", "1.0.1", "2.0")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_range_holds_from_where_it_begins_to_before_where_it_is_fixed() -> None:
    line = record("X-1", events=[{"introduced": "1.2"}, {"fixed": "1.10"}])
    assert [bool(held(version, line)) for version in ("1.1", "1.2", "1.9", "1.10rc1", "1.10", "2")] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_the_last_affected_version_is_affected_and_the_next_is_not() -> None:
    line = record("X-1", events=[{"introduced": "0"}, {"last_affected": "2.0"}])
    assert [bool(held(version, line)) for version in ("0.dev0", "2.0", "2.0.post1", "2.0.1")] == [
        True,
        True,
        False,
        False,
    ]


def test_one_version_alone_can_be_a_range() -> None:
    line = record("X-1", events=[{"introduced": "1.0"}, {"last_affected": "1.0"}])
    assert [bool(held(version, line)) for version in ("0.9", "1.0", "1.1")] == [False, True, False]


def test_what_comes_back_is_affected_again() -> None:
    events = [{"introduced": "2.0"}, {"fixed": "1.5"}, {"introduced": "0"}, {"fixed": "2.5"}]
    line = record("X-1", events=events)
    assert [bool(held(version, line)) for version in ("1.4", "1.5", "1.9", "2.0", "2.4", "2.5")] == [
        True,
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_limit_ends_a_range_and_a_star_is_none() -> None:
    limited = record("X-1", events=[{"introduced": "0"}, {"limit": "2.0"}])
    unlimited = record("X-1", events=[{"introduced": "0"}, {"limit": "*"}])
    assert (held("1.9", limited), held("2.0", limited), held("99", unlimited)) == (["X-1"], [], ["X-1"])


def test_an_end_that_cannot_be_read_is_none_and_such_a_beginning_is_the_first_version() -> None:
    endless = record("X-1", events=[{"introduced": "1.0"}, {"fixed": "the next one"}, {"fixed": "9" * 5000}])
    unbegun = record("X-2", events=[{"introduced": "early"}, {"fixed": "2.0"}])
    without = record("X-3", events=[{"fixed": "2.0"}])
    assert held("50", endless, unbegun, without) == ["X-1"]
    assert held("0.1", endless, unbegun, without) == ["X-2", "X-3"]


@pytest.mark.parametrize(
    "silent",
    [
        record("X-1"),
        record("X-1", events=[]),
        record("X-1", events=[{}]),
        record("X-1", events=[{"introduced": "abc"}], kind="GIT"),
        record("X-1", events=[{"introduced": "1.0.0"}, {"fixed": "1.0.1"}], kind="SEMVER"),
    ],
)
def test_what_says_nothing_in_the_order_of_versions_holds_for_all(silent: Json) -> None:
    assert (held("0.1", silent), held("99", silent)) == (["X-1"], ["X-1"])


def test_a_list_beside_a_range_of_another_order_is_all_that_counts() -> None:
    line = record("X-1", versions=["1.0"], events=[{"introduced": "0"}], kind="GIT")
    assert (held("1.0", line), held("1.1", line)) == (["X-1"], [])


def test_a_local_build_is_what_it_is_a_build_of() -> None:
    listed = record("X-1", versions=["1.0"])
    line = record("X-2", events=[{"introduced": "0"}, {"last_affected": "1.0"}])
    named = record("X-3", versions=["1.0+cu121"])
    assert held("1.0+cu121", listed, line, named) == ["X-1", "X-2", "X-3"]
    assert held("1.0", listed, line, named) == ["X-1", "X-2"]


def test_several_entries_of_a_record_about_one_project_all_count() -> None:
    both = record("X-1", versions=["1.0"])
    both["affected"] += record("X-1", name="Widget", versions=["3.0"])["affected"]
    both["affected"] += record("X-1", name="other", versions=["5.0"])["affected"]
    assert [held(version, both) for version in ("1.0", "3.0", "5.0")] == [["X-1"], ["X-1"], []]
    assert held("5.0", both, project="other") == ["X-1"]


# The schema's evaluation, word for word, for one version at a time; it is the measure of the slots.
def included(version: Version, line: Range) -> bool:
    limits = [Version(event.limit) for event in line.events if event.limit]
    if limits and not any(version < limit for limit in limits):
        return False
    found = False
    order = {"fixed": 0, "introduced": 1, "last_affected": 2}
    events = [
        (Version("0.dev0") if text == "0" else Version(text), order[key], key)
        for event in line.events
        for key in order
        if (text := getattr(event, key)) is not None
    ]
    for at, _, key in sorted(events):
        if key == "introduced" and version >= at:
            found = True
        elif (key == "fixed" and version >= at) or (key == "last_affected" and version > at):
            found = False
    return found


VERSIONS = st.sampled_from(["0.1", "1.0.dev1", "1.0a1", "1.0", "1.0.0", "1.0.post1", "1.1", "2.0", "2.0+x", "1!0.5"])
ENDS = st.one_of(
    st.builds(Event, fixed=VERSIONS), st.builds(Event, last_affected=VERSIONS), st.builds(Event, introduced=VERSIONS)
)
LINES = st.builds(
    lambda first, more, limits: Range("ECOSYSTEM", (Event(introduced=first), *more, *limits)),
    st.one_of(st.just("0"), VERSIONS),
    st.lists(ENDS, max_size=5),
    st.lists(st.builds(Event, limit=VERSIONS), max_size=2),
)
AFFECTED = st.lists(
    st.builds(
        lambda lines, versions: Affected(ranges=tuple(lines), versions=tuple(versions)),
        st.lists(LINES, min_size=1, max_size=3),
        st.lists(VERSIONS, max_size=3),
    ),
    max_size=4,
)


@given(AFFECTED, VERSIONS)
def test_the_slots_say_what_the_schema_says(affected: list[Affected], text: str) -> None:
    version = Version(text)
    timeline = Timeline((Advisory(f"X-{number}"), (one,)) for number, one in enumerate(affected))
    both = {version, Version(version.public)}
    expected = {
        f"X-{number}"
        for number, one in enumerate(affected)
        for each in both
        if each in [Version(listed) for listed in one.versions or ()]
        or any(included(each, line) for line in one.ranges or ())
    }
    assert {advisory.id for advisory in timeline.at(version)} == expected
