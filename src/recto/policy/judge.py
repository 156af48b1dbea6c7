"""The verdicts: every rule is asked, and every reason is given.

A rule is one file with one function. A request rule sees who asks for what; a plan rule sees what a build would do,
before any download. To add one, copy a file and name it here.
"""

from __future__ import annotations

from collections.abc import Callable

from recto.policy import approval, download_size, granted, installed_size, installing, package_count
from recto.policy.model import Grant, Plan, Policy, Verdict
from recto.problems import Problem

RequestRule = Callable[[Policy, Grant, str], Problem | None]
PlanRule = Callable[[Policy, Plan], Problem | None]

REQUEST_RULES: tuple[RequestRule, ...] = (installing.judge, granted.judge, approval.judge)
PLAN_RULES: tuple[PlanRule, ...] = (package_count.judge, download_size.judge, installed_size.judge)


def judge_request(policy: Policy, grant: Grant, declaration_digest: str) -> Verdict:
    """Whether this grant may cause this declaration to be installed; needs nothing resolved."""
    return Verdict(tuple(p for rule in REQUEST_RULES if (p := rule(policy, grant, declaration_digest))))


def judge_plan(policy: Policy, plan: Plan) -> Verdict:
    """Whether what a build would do stays within the caps; needs the lock, but no download."""
    return Verdict(tuple(p for rule in PLAN_RULES if (p := rule(policy, plan))))
