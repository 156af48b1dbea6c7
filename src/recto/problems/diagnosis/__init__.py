"""Diagnosis: the text of installers, kernels and Quarto goes in, problems come out. Pure, bounded, never fails."""

from __future__ import annotations

from recto.problems.catalogue import problem
from recto.problems.diagnosis import network, uv
from recto.problems.diagnosis.finding import Finding
from recto.problems.diagnosis.redact import excerpt, redacted
from recto.problems.diagnosis.telling import most_telling
from recto.problems.diagnosis.text import bounded, clean, decode
from recto.problems.diagnosis.wording import worded
from recto.problems.problem import Problem

__all__ = ["clean", "decode", "diagnose", "redacted"]

PROBLEMS_MAX = 8

READERS = (uv.findings, network.findings)


def diagnose(text: str) -> tuple[Problem, ...]:
    """The problems that this text of a tool shows, the most likely cause first; at least one, at most eight.

    Reads pip, uv, compilers, Python tracebacks, nbclient and Quarto. `package` is spelt as the text has it. A text
    in which nothing is recognised gives one `cause-unknown`. Excerpts hold at most 12 lines, without credentials.
    """
    cleaned = clean(bounded(text))
    found = sorted((finding for reader in READERS for finding in reader(cleaned)), key=lambda finding: finding.order)
    chosen: dict[tuple[str, str | None], Finding] = {}
    for finding in found:
        chosen.setdefault((finding.code, finding.package), finding)
    problems = tuple(worded(finding, cleaned) for finding in list(chosen.values())[:PROBLEMS_MAX])
    return problems or (problem("cause-unknown", excerpt=excerpt(most_telling(cleaned))),)
