"""Policy: the operator's rules and their answer for one request. Default deny; what cannot be checked is refused."""

from recto.policy.judge import judge_plan, judge_request
from recto.policy.model import FromBase, Grant, Installed, Plan, Policy, Replaced, Verdict

__all__ = [
    "FromBase",
    "Grant",
    "Installed",
    "Plan",
    "Policy",
    "Replaced",
    "Verdict",
    "judge_plan",
    "judge_request",
]
