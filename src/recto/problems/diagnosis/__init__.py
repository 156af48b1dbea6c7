"""Diagnosis: the text of installers, kernels and Quarto goes in, problems come out. Pure, bounded, never fails."""

from __future__ import annotations

from recto.problems.catalogue import problem
from recto.problems.diagnosis import building, documents, machine, network, pip, tracebacks, uv
from recto.problems.diagnosis.choosing import chosen
from recto.problems.diagnosis.places import placed
from recto.problems.diagnosis.redact import excerpt, redacted
from recto.problems.diagnosis.telling import most_telling
from recto.problems.diagnosis.text import bounded, clean, decode
from recto.problems.diagnosis.wording import worded
from recto.problems.problem import Problem

__all__ = ["clean", "decode", "diagnose", "redacted"]

READERS = (
    uv.findings,
    pip.findings,
    machine.findings,
    network.findings,
    building.findings,
    documents.findings,
    tracebacks.findings,
)


def diagnose(text: str) -> tuple[Problem, ...]:
    """The problems that this text of a tool shows, the most likely cause first; at least one, at most eight.

    Reads pip, uv, compilers, Python tracebacks, nbclient and Quarto. `package` is spelt as the text has it. A text
    in which nothing is recognised gives one `cause-unknown`. Excerpts hold at most 12 lines, without credentials.
    """
    cleaned = clean(bounded(text))
    findings = chosen(finding for reader in READERS for finding in reader(cleaned))
    problems = tuple(worded(finding, cleaned) for finding in placed(findings, cleaned))
    return problems or (problem("cause-unknown", excerpt=excerpt(most_telling(cleaned))),)
