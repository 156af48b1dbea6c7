"""Rule: at most so many packages in one environment."""

from __future__ import annotations

from recto.policy.model import Plan, Policy
from recto.problems import Problem, problem


def judge(policy: Policy, plan: Plan) -> Problem | None:
    """`cap-packages` when more distributions would be installed than the cap."""
    if len(plan.install) <= policy.packages_max:
        return None
    return problem("cap-packages", amount=len(plan.install), most=policy.packages_max)
