"""Which findings are told: causes before consequences, each once, echoes left out."""

from __future__ import annotations

from collections.abc import Iterable

from recto.problems.diagnosis.finding import Finding

PROBLEMS_MAX = 8

# Why a build fails; each says more than that it failed, even where it may be an echo.
_OF_BUILDS = frozenset(
    {"build-no-compiler", "build-no-rust", "build-missing-library", "build-script-error", "build-compile-error"}
)
# Why a package could not be had. Behind each of them pip says that there is "no matching distribution".
_ABSENT = ("requires-python", "wheel-unsupported", "no-matching-version", "no-matching-distribution", "no-wheel")


def chosen(findings: Iterable[Finding]) -> list[Finding]:
    """The findings to tell, the most likely cause first, at most eight."""
    ordered = sorted(findings, key=lambda finding: finding.order)
    named = {finding.code for finding in ordered if finding.package is not None}
    explained = any(not finding.weak or finding.code in _OF_BUILDS for finding in ordered)
    absent: set[str | None] = set()
    told: dict[tuple[str, str | None], Finding] = {}
    for finding in ordered:
        unnamed_echo = finding.package is None and finding.code in named
        bare_failure = finding.code == "build-failed-unspecified" and explained
        absence_echo = finding.weak and finding.code in _ABSENT and finding.package in absent
        if not unnamed_echo and not bare_failure and not absence_echo:
            told.setdefault((finding.code, finding.package), finding)
            absent.update([finding.package] if finding.code in _ABSENT else [])
    return list(told.values())[:PROBLEMS_MAX]
