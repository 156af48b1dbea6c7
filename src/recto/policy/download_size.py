"""Rule: at most so many bytes are downloaded for one environment."""

from __future__ import annotations

from recto.policy.model import Plan, Policy
from recto.problems import Problem, problem, size


def judge(policy: Policy, plan: Plan) -> Problem | None:
    """`cap-download` over the cap; `size-unknown` where the lock does not tell a size, so that no cap can be kept."""
    for item in plan.install:
        if item.download_bytes is None:
            return problem("size-unknown", package=item.name)
    if plan.download_bytes <= policy.download_bytes_max:
        return None
    largest = max(plan.install, key=lambda item: item.download_bytes or 0)
    return problem(
        "cap-download",
        amount=size(plan.download_bytes),
        most=size(policy.download_bytes_max),
        largest=largest.name,
    )
