"""Which findings are told: causes before consequences, each once, echoes left out."""

from __future__ import annotations

from collections.abc import Iterable

from recto.problems.diagnosis.finding import Finding

PROBLEMS_MAX = 8


def chosen(findings: Iterable[Finding]) -> list[Finding]:
    """The findings to tell, the most likely cause first, at most eight."""
    ordered = sorted(findings, key=lambda finding: finding.order)
    named = {finding.code for finding in ordered if finding.package is not None}
    strong = any(not finding.weak for finding in ordered)
    told: dict[tuple[str, str | None], Finding] = {}
    for finding in ordered:
        unnamed_echo = finding.package is None and finding.code in named
        bare_failure = finding.code == "build-failed-unspecified" and strong
        if not unnamed_echo and not bare_failure:
            told.setdefault((finding.code, finding.package), finding)
    return list(told.values())[:PROBLEMS_MAX]
