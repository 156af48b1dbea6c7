"""What each rule says of a file, and what it says when the index does not say what it needs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace
from packaging.version import Version

from osv_records import advisories, record
from recto.index.advisories.level import Level
from recto.index.base import File, Finding, Project, Rule
from recto.index.decision import NO_HASH, decide
from recto.index.rules.age import Age
from recto.index.rules.allow import Allow
from recto.index.rules.as_of import AsOf
from recto.index.rules.deny import Deny
from recto.index.rules.file_size import FileSize
from recto.index.rules.malicious import Malicious
from recto.index.rules.project_size import ProjectSize
from recto.index.rules.project_status import ProjectStatus
from recto.index.rules.versions import among
from recto.index.rules.vulnerable import Vulnerable
from recto.index.rules.wheels_only import WheelsOnly
from recto.index.rules.yanked import Yanked

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PROJECT = Project("widget", bytes=5_000)
FILE = File("widget", "widget-1.0-py3-none-any.whl", "wheel", Version("1.0"), "ab" * 32, 1_000, NOW)


def judged(rule: Rule, version: str | None = "1.0") -> Finding | None:
    return rule.judge(PROJECT, replace(FILE, version=None if version is None else Version(version)), NOW)


def hidden(rule: Rule, *versions: str | None) -> list[bool]:
    return [judged(rule, version) is not None for version in versions]


def test_only_what_is_listed_is_allowed() -> None:
    assert hidden(Allow({"widget": ("",)}), "1.0", "2.0a1", None) == [False, False, False]
    assert hidden(Allow({"gadget": ("",)}), "1.0", None) == [True, True]
    assert hidden(Allow({}), "1.0") == [True]


def test_of_what_is_listed_with_ranges_any_of_them_allows() -> None:
    rule = Allow({"widget": ("<1", ">=2")})
    assert hidden(rule, "0.9", "1.0", "2.0", "2.1a1", "2.0+cu121", None) == [False, True, False, False, False, True]


def test_what_is_listed_is_denied() -> None:
    assert hidden(Deny({"widget": ("",)}), "1.0", None) == [True, True]
    assert hidden(Deny({"gadget": ("",)}), "1.0", None) == [False, False]


def test_of_what_is_denied_with_ranges_any_of_them_hides() -> None:
    rule = Deny({"widget": ("<1", "==2.0")})
    assert hidden(rule, "0.9", "0.9rc1", "1.0", "2.0", "2.0+cu121", "2.1", None) == [
        True,
        True,
        False,
        True,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(("kind", "expected"), [("wheel", False), ("sdist", True), ("other", True)])
def test_only_wheels(kind: str, expected: bool) -> None:
    file = replace(FILE, kind=kind)
    assert (WheelsOnly().judge(PROJECT, file, NOW) is not None) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(days=7), None),
        (timedelta(days=7) - timedelta(microseconds=1), "younger than 7 days"),
        (timedelta(days=-3), "younger than 7 days"),
    ],
)
def test_what_was_uploaded_a_short_time_ago_is_hidden(age: timedelta, expected: str | None) -> None:
    found = Age.of_days(7).judge(PROJECT, replace(FILE, uploaded=NOW - age), NOW)
    assert (found.reason if found else None) == expected


def test_an_exempt_project_may_be_of_any_age() -> None:
    rule = Age.of_days(7, frozenset({"widget"}))
    assert rule.judge(PROJECT, replace(FILE, uploaded=None), NOW) is None
    assert rule.judge(Project("gadget"), replace(FILE, uploaded=None), NOW) is not None


def test_a_cut_off_includes_its_day_in_utc() -> None:
    rule = AsOf.of(date(2026, 1, 31))
    last = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    west = datetime(2026, 1, 31, 20, 0, tzinfo=timezone(timedelta(hours=-5)))
    found = [rule.judge(PROJECT, replace(FILE, uploaded=at), NOW) for at in (last, west)]
    assert [finding.reason if finding else None for finding in found] == [None, "uploaded after 2026-01-31"]


def test_sizes_are_allowed_up_to_the_most() -> None:
    sizes = [FileSize(1_000).judge(PROJECT, replace(FILE, size=size), NOW) for size in (1_000, 1_001)]
    sums = [ProjectSize(1_000).judge(replace(PROJECT, bytes=size), FILE, NOW) for size in (1_000, 1_001)]
    assert [finding is not None for finding in (*sizes, *sums)] == [False, True, False, True]


def test_what_was_yanked_is_hidden_with_the_reason_that_was_given() -> None:
    reasons = [Yanked().judge(PROJECT, replace(FILE, yanked=text), NOW) for text in (None, "", "broken")]
    assert [finding.reason if finding else None for finding in reasons] == [
        None,
        "yanked by its authors",
        "yanked by its authors: broken",
    ]


def test_what_an_index_says_is_shown_on_one_line() -> None:
    project = replace(PROJECT, status="x\ny", status_reason="a\x1b[31m\nb" + "c" * 1_000)
    found = [ProjectStatus().judge(project, FILE, NOW), Yanked().judge(PROJECT, replace(FILE, yanked="a\r\nb"), NOW)]
    for finding in found:
        assert finding is not None
        assert finding.reason.isprintable()
        assert len(finding.reason) < 300


def test_a_project_in_quarantine_or_of_an_unknown_status_is_hidden_whatever_was_chosen() -> None:
    for rule in (ProjectStatus("keep"), ProjectStatus("warn"), ProjectStatus("hide")):
        found = [rule.judge(replace(PROJECT, status=status), FILE, NOW) for status in ("quarantined", "x", "active")]
        assert [finding is not None and finding.blocks for finding in found] == [True, True, False]


@pytest.mark.parametrize("status", ["archived", "deprecated"])
def test_what_is_left_alone_by_its_authors_is_kept_warned_of_or_hidden(status: str) -> None:
    project = replace(PROJECT, status=status, status_reason="use gadget")
    found = [ProjectStatus(archived).judge(project, FILE, NOW) for archived in ("keep", "warn", "hide")]
    assert [finding and finding.blocks for finding in found] == [None, False, True]
    assert found[1] is not None
    assert found[1].reason == f"the index says that `widget` is {status}: use gadget"


def test_known_malice_hides_the_version_and_not_the_project() -> None:
    known = advisories(record("MAL-2026-1", versions=["1.0"])).only(malicious=True)
    assert hidden(Malicious(known), "1.0", "1.1", None) == [True, False, True]
    found = judged(Malicious(known, blocks=False))
    assert found == Finding("malicious", "known to be malicious (MAL-2026-1)", blocks=False)


def test_vulnerabilities_are_blocked_or_warned_of_by_level() -> None:
    low = record("X-1", versions=["1.0", "2.0"], database_specific={"severity": "LOW"})
    high = record("X-2", versions=["2.0"], database_specific={"severity": "HIGH"})
    rule = Vulnerable(advisories(low, high), Level.HIGH, Level.LOW)
    found = [judged(rule, version) for version in ("1.0", "2.0", "3.0", None)]
    assert [finding and (finding.reason, finding.blocks) for finding in found] == [
        ("known vulnerability X-1 (low)", False),
        ("known vulnerability X-2 (high), and 1 more", True),
        None,
        ("some versions of `widget` have known vulnerabilities, and its own cannot be read", True),
    ]


def test_a_level_that_was_not_chosen_is_not_reached() -> None:
    worst = advisories(record("X-1", versions=["1.0"]))
    moderate = advisories(record("X-1", versions=["1.0"], database_specific={"severity": "MODERATE"}))
    assert judged(Vulnerable(worst)) is None
    assert judged(Vulnerable(moderate, block=Level.HIGH)) is None
    assert judged(Vulnerable(moderate, warn=Level.HIGH)) is None
    assert judged(Vulnerable(worst, warn=Level.HIGH)) == Finding(
        "vulnerable", "known vulnerability X-1 (critical)", False
    )


NEEDS: list[tuple[Rule, Project, File]] = [
    (Age.of_days(1), PROJECT, replace(FILE, uploaded=None)),
    (AsOf.of(date(2026, 1, 1)), PROJECT, replace(FILE, uploaded=None)),
    (FileSize(10**12), PROJECT, replace(FILE, size=None)),
    (ProjectSize(10**12), replace(PROJECT, bytes=None), FILE),
    (Allow({"widget": (">=0",)}), PROJECT, replace(FILE, version=None)),
    (Deny({"widget": ("<0",)}), PROJECT, replace(FILE, version=None)),
    (Malicious(advisories(record("MAL-1", versions=["9"]))), PROJECT, replace(FILE, version=None)),
    (Vulnerable(advisories(record("X-1", versions=["9"])), Level.LOW), PROJECT, replace(FILE, version=None)),
]


@pytest.mark.parametrize(("rule", "project", "file"), NEEDS, ids=[rule.name for rule, _, _ in NEEDS])
def test_what_a_rule_needs_and_is_not_told_hides_the_file(rule: Rule, project: Project, file: File) -> None:
    found = rule.judge(project, file, NOW)
    assert found is not None
    assert (found.blocks, found.rule) == (True, rule.name)


def test_a_project_without_advisories_needs_no_version() -> None:
    other = advisories(record("MAL-1", name="gadget"))
    assert hidden(Malicious(other), None) == [False]
    assert hidden(Vulnerable(other, Level.LOW), None) == [False]


def test_every_reason_is_kept_and_a_file_without_a_hash_is_always_hidden() -> None:
    rules = (WheelsOnly(), Deny({"widget": ("",)}), ProjectStatus())
    decision = decide(rules, replace(PROJECT, status="archived"), replace(FILE, kind="sdist"), NOW)
    assert [finding.rule for finding in decision.findings] == ["wheels-only", "deny", "project-status"]
    assert decide((), PROJECT, replace(FILE, sha256=None), NOW).findings == (NO_HASH,)
    assert (decide((), PROJECT, FILE, NOW).allowed, decide((), PROJECT, replace(FILE, sha256=""), NOW).allowed) == (
        True,
        False,
    )


def test_ranges_are_compared_once_a_version_however_many_files_it_has() -> None:
    rule = Deny({"widget": ("<3", "==77.*")})
    files = [replace(FILE, version=Version(f"{number % 40}.1")) for number in range(4_000)]
    among.cache_clear()
    assert sum(rule.judge(PROJECT, file, NOW) is not None for file in files) == 300
    assert among.cache_info().misses == 40
