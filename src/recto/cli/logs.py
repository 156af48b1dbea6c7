"""The whole text behind problems that send their reader to the log."""

from __future__ import annotations

from collections.abc import Iterable

from recto.cli.console import Console
from recto.problems import Problem

# The kinds whose hint names the log.
REFER_TO_LOG = frozenset({"install-failed", "render-failed", "cause-unknown"})


def keep_log(problems: Iterable[Problem], text: str, console: Console) -> None:
    """Says where the text is now, without credentials; nothing where no problem refers to it."""
    if not text.strip() or REFER_TO_LOG.isdisjoint(problem.code for problem in problems):
        return
    # Late, as most commands have nothing to keep.
    import tempfile

    from recto.problems.diagnosis import clean
    from recto.problems.diagnosis.redact import redacted

    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", errors="backslashreplace", prefix="recto-", suffix=".log", delete=False
    ) as log:
        log.write(redacted(clean(text)))
    console.say(f"The log is `{log.name}`.")
