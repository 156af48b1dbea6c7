"""The operator's rules: default deny, every reason given, what cannot be checked is refused."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recto.policy import Grant, Installed, Plan, Policy, Verdict, judge_plan, judge_request

OPEN = Policy(installing=True)
DIGEST = "d" * 32


def codes(verdict: Verdict) -> list[str]:
    return [problem.code for problem in verdict.problems]


def plan(*sizes: int | None) -> Plan:
    return Plan(install=tuple(Installed(f"package-{n}", "1.0", size) for n, size in enumerate(sizes)))


def test_nothing_is_allowed_by_default() -> None:
    verdict = judge_request(Policy(), Grant(), DIGEST)
    assert not verdict.allowed
    assert codes(verdict) == ["install-disabled", "install-not-granted"]


def test_a_grant_alone_installs_nothing() -> None:
    assert codes(judge_request(Policy(), Grant.own(), DIGEST)) == ["install-disabled"]


def test_the_switch_alone_installs_nothing_for_strangers() -> None:
    assert codes(judge_request(OPEN, Grant(), DIGEST)) == ["install-not-granted"]


def test_the_switch_and_a_grant_together_install() -> None:
    verdict = judge_request(OPEN, Grant.own(), DIGEST)
    assert verdict.allowed
    assert verdict == Verdict()


@pytest.mark.parametrize("truthy", ["true", 1, ["yes"]])
def test_a_grant_that_is_merely_truthy_does_not_count(truthy: object) -> None:
    forged = replace(Grant(), install=truthy)
    assert codes(judge_request(OPEN, forged, DIGEST)) == ["install-not-granted"]


def test_the_approved_declaration_is_installed() -> None:
    assert judge_request(OPEN, Grant("ann", install=True, approved=DIGEST), DIGEST).allowed


def test_a_declaration_that_changed_since_its_approval_is_refused_even_for_its_owner() -> None:
    grant = Grant("ann", install=True, approved="e" * 32)
    assert codes(judge_request(OPEN, grant, DIGEST)) == ["declaration-not-approved"]


def test_where_approval_is_required_its_absence_refuses() -> None:
    policy = replace(OPEN, require_approval=True)
    assert codes(judge_request(policy, Grant.own(), DIGEST)) == ["declaration-not-approved"]


def test_a_plan_at_every_cap_is_allowed() -> None:
    policy = Policy(packages_max=2, download_bytes_max=200, installed_bytes_max=700)
    assert judge_plan(policy, plan(100, 100)).allowed


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (Policy(packages_max=1), "cap-packages"),
        (Policy(download_bytes_max=199), "cap-download"),
        (Policy(installed_bytes_max=699), "cap-installed"),
    ],
)
def test_a_plan_one_over_a_cap_is_refused(policy: Policy, code: str) -> None:
    assert codes(judge_plan(policy, plan(100, 100))) == [code]


def test_the_download_cap_names_the_largest_package() -> None:
    verdict = judge_plan(Policy(download_bytes_max=10), plan(5, 90, 7))
    assert "`package-1`" in verdict.problems[0].message


def test_a_size_that_the_lock_does_not_tell_is_a_refusal() -> None:
    verdict = judge_plan(Policy(), plan(100, None))
    assert codes(verdict) == ["size-unknown"]
    assert verdict.problems[0].package == "package-1"


def test_an_empty_plan_is_allowed() -> None:
    assert judge_plan(Policy(packages_max=0, download_bytes_max=0, installed_bytes_max=0), Plan()).allowed
