"""The edits of `--fix`: shown, made, and looked at again until nothing is left that an edit would mend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recto.cli.console import Console
from recto.problems import Problem
from recto.render.mending import Change, carry_out, planned
from recto.render.project import Project

# An edit may uncover the next problem: a misspelt name hides that its version does not exist. Ten in a row are not
# met; what goes on and on is not getting better.
_ROUNDS = 10


def mend(path: Path, look: Callable[[], Sequence[Problem]], console: Console) -> None:
    """Makes the edits that `look`'s problems offer, each shown before it is made, and looks again.

    Ends where no edit is left, and where one would bring back what the file held before. Raises what `look` raises,
    and EngineError where a file cannot be written.
    """
    project = Project.around(path)
    seen: set[tuple[str, bytes | None]] = set()
    for _ in range(_ROUNDS):
        found = look()
        mending = planned(project, found)
        back = {(change.file, change.after) for change in mending.changes} & seen
        if back or not mending.changes:
            return
        seen |= {(change.file, change.before) for change in mending.changes}
        for problem in found:
            if problem.fix is not None and problem.fix in mending.fixes:
                console.say(f"{problem} {problem.fix.title}.")
        for change in mending.changes:
            _show(change, console)
        carry_out(project, mending)


def _show(change: Change, console: Console) -> None:
    for line in change.diff.splitlines():
        console.say(line)
