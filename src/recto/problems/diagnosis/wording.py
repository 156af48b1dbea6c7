"""Findings as problems: the catalogue's words filled with what a log shows, and stand-ins for what it hides."""

from __future__ import annotations

from collections.abc import Mapping

from recto.problems.catalogue import KINDS
from recto.problems.diagnosis.finding import Finding
from recto.problems.diagnosis.redact import excerpt, redacted
from recto.problems.diagnosis.telling import lines_around
from recto.problems.problem import Problem

FACT_CHARACTERS = 160

# What stands for a fact that the log does not name. The marks around it in a template are taken away again.
_UNNAMED: Mapping[str, str] = {
    "package": "a package",
    "path": "a file",
    "document": "the document",
    "kernel": "a kernel",
    "library": "a system library",
    "reason": "the log does not say why",
    "specifier": "the range",
    "needs": "this one is too old or too new",
    "hint": "",
    "cell": "",
    "error": "the log does not show the error",
    "seconds": "",
    "line": "a line",
    "suggestion": "polars>=1.2",
}


def worded(finding: Finding, text: str) -> Problem:
    """The problem of this finding, its excerpt cut from the cleaned text."""
    kind = KINDS[finding.code]
    shown = {key: value if key == "hint" else _fact(value) for key, value in finding.facts.items()}
    if finding.package is not None:
        shown["package"] = _fact(finding.package)
    facts = dict(_UNNAMED) | {key: value for key, value in shown.items() if value}
    return Problem(
        code=finding.code,
        level=kind.level,
        message=_filled(kind.message, facts),
        hint=_filled(kind.hint, facts),
        package=finding.package,
        source=finding.source,
        excerpt=excerpt(lines_around(text, finding.start, finding.end)),
    )


def _fact(value: str) -> str:
    """The value on one line, redacted, of bounded length, without the full stop that the template brings."""
    line = redacted(" ".join(value.split())).rstrip(".")
    return line if len(line) <= FACT_CHARACTERS else f"{line[: FACT_CHARACTERS - 1]}…"


def _filled(template: str, facts: Mapping[str, str]) -> str:
    text = template.format(**facts).replace("Cell  of", "A cell of").replace("limit of  s", "limit")
    for stand_in in _UNNAMED.values():
        if stand_in:
            text = text.replace(f"`{stand_in}`", stand_in)
    return text[:1].upper() + text[1:]
