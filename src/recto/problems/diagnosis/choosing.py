"""Which findings are told: causes before consequences, each once, echoes left out."""

from __future__ import annotations

from collections.abc import Iterable

from recto.problems.diagnosis.finding import Finding

PROBLEMS_MAX = 8

# Why a package could not be had. Behind each of them pip says that there is "no matching distribution".
_ABSENT = ("requires-python", "wheel-unsupported", "no-matching-version", "no-matching-distribution", "no-wheel")


def chosen(findings: Iterable[Finding]) -> list[Finding]:
    """The findings to tell, the most likely cause first, at most eight."""
    ordered = sorted(findings, key=lambda finding: finding.order)
    named = {finding.code for finding in ordered if finding.package is not None}
    strong = any(not finding.weak for finding in ordered)
    absent: set[str | None] = set()
    told: dict[tuple[str, str | None], Finding] = {}
    for finding in ordered:
        unnamed_echo = finding.package is None and finding.code in named
        bare_failure = finding.code == "build-failed-unspecified" and strong
        absence_echo = finding.weak and finding.code in _ABSENT and finding.package in absent
        if not unnamed_echo and not bare_failure and not absence_echo:
            told.setdefault((finding.code, finding.package), finding)
            absent.update([finding.package] if finding.code in _ABSENT else [])
    return list(told.values())[:PROBLEMS_MAX]
