"""Rule: where approvals are kept, only the approved declaration is installed, whoever presses the button."""

from __future__ import annotations

from recto.policy.model import Grant, Policy
from recto.problems import Problem, problem


def judge(policy: Policy, grant: Grant, declaration_digest: str) -> Problem | None:
    """`declaration-not-approved` where an approval is asked for or given and is for another declaration."""
    if grant.approved is None and not policy.require_approval:
        return None
    return None if grant.approved == declaration_digest else problem("declaration-not-approved")
