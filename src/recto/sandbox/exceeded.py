"""Which limit ended a command, told apart by what the kernel counted, never by words alone."""

from __future__ import annotations

import re
import signal

from recto.problems import Problem, problem
from recto.sandbox.base import Outcome

# How Python, its native libraries and uv say that a process or a thread could not be started (EAGAIN).
_REFUSED = re.compile(
    r"can't start new thread|Resource temporarily unavailable|pthread_create failed|\[Errno 11\]|os error 11\b"
)


def exceeded(outcome: Outcome) -> Problem | None:
    """The problem of a command that a limit ended, or that failed when a limit refused it something; else None."""
    if outcome.stop in ("disk-limit", "disk-full"):
        return problem(outcome.stop)
    if outcome.code == 0 or outcome.stop != "exited":
        return None
    if outcome.code == -signal.SIGXFSZ:
        return problem("disk-limit")
    if outcome.code == -signal.SIGXCPU:
        return problem("processor-limit")
    if outcome.out_of_memory:
        return problem("out-of-memory")
    return problem("process-limit") if outcome.refused_processes and says_refused(_said(outcome)) else None


def says_refused(text: str) -> bool:
    """Whether an error is that a process or a thread was refused; `refused_processes` says whether at the limit."""
    return _REFUSED.search(text) is not None


def _said(outcome: Outcome) -> str:
    return (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
