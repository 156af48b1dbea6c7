"""The readers of a tool's text, one a tool or a subject, and what they find together."""

from __future__ import annotations

from recto.problems.catalogue import problem
from recto.problems.diagnosis import building, documents, machine, network, pip, tracebacks, uv
from recto.problems.diagnosis.choosing import chosen
from recto.problems.diagnosis.places import placed
from recto.problems.diagnosis.redact import excerpt
from recto.problems.diagnosis.telling import most_telling
from recto.problems.diagnosis.text import bounded, clean
from recto.problems.diagnosis.wording import worded
from recto.problems.problem import Problem

READERS = (
    uv.findings,
    pip.findings,
    machine.findings,
    network.findings,
    building.findings,
    documents.findings,
    tracebacks.findings,
)


def problems_in(text: str) -> tuple[Problem, ...]:
    """The problems that the text shows, as `diagnose` says."""
    cleaned = clean(bounded(text))
    findings = chosen(finding for reader in READERS for finding in reader(cleaned))
    problems = tuple(worded(finding, cleaned) for finding in placed(findings, cleaned))
    return problems or (problem("cause-unknown", excerpt=excerpt(most_telling(cleaned))),)
