"""Rule: nothing is installed until the operator has turned installing on."""

from __future__ import annotations

from recto.policy.model import Grant, Policy
from recto.problems import Problem, problem


def judge(policy: Policy, grant: Grant, declaration_digest: str) -> Problem | None:
    """`install-disabled` unless the policy says that packages may be installed here."""
    return None if policy.installing else problem("install-disabled")
