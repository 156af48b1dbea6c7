"""Rule: only somebody whom the host vouches for may cause an install."""

from __future__ import annotations

from recto.policy.model import Grant, Policy
from recto.problems import Problem, problem


def judge(policy: Policy, grant: Grant, declaration_digest: str) -> Problem | None:
    """`install-not-granted` unless the grant says `install`."""
    return None if grant.install is True else problem("install-not-granted")
