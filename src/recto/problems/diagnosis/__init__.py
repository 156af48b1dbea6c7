"""Diagnosis: the text of installers, kernels and Quarto goes in, problems come out. Pure, bounded, never fails."""

from __future__ import annotations

from recto.problems.diagnosis.redact import redacted
from recto.problems.diagnosis.text import clean, decode, decode_ends
from recto.problems.problem import Problem

__all__ = ["clean", "decode", "decode_ends", "diagnose", "redacted"]


def diagnose(text: str) -> tuple[Problem, ...]:
    """The problems that this text of a tool shows, the most likely cause first; at least one, at most eight.

    Reads pip, uv, compilers, Python tracebacks, nbclient and Quarto. `package` is spelt as the text has it. A text
    in which nothing is recognised gives one `cause-unknown`. Excerpts hold at most 12 lines, without credentials.
    """
    # Only now: the readers compile some hundred patterns, a quarter of the time that a whole command may take.
    from recto.problems.diagnosis.readers import problems_in

    return problems_in(text)
