"""The one decision about each file: every rule is asked, and every reason is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from recto.index.base import Decision, File, Finding, Project, Rule

NO_HASH = Finding("hash", "the index gives no sha256 for it, so its bytes cannot be verified")

_NOTHING = Decision()


def decide(rules: Iterable[Rule], project: Project, file: File, now: datetime) -> Decision:
    """What all rules say of a file. One without a sha256 is hidden whatever they say."""
    found: list[Finding] = []
    for rule in rules:  # no comprehension: it is one call more for each of thousands of files
        finding = rule.judge(project, file, now)
        if finding is not None:
            found.append(finding)
    if file.sha256:
        return Decision(tuple(found)) if found else _NOTHING
    return Decision((NO_HASH, *found))
