"""Rule: an environment takes at most so many bytes of disk.

Before a download only an estimate exists (`Plan.installed_bytes_estimate`); the builder measures the finished tree
against the same cap.
"""

from __future__ import annotations

from recto.policy.model import Plan, Policy
from recto.problems import Problem, problem, size


def judge(policy: Policy, plan: Plan) -> Problem | None:
    """`cap-installed` when the environment would be too large, by the estimate."""
    if plan.installed_bytes_estimate <= policy.installed_bytes_max:
        return None
    return problem(
        "cap-installed",
        amount=f"about {size(plan.installed_bytes_estimate)}",
        most=size(policy.installed_bytes_max),
    )
