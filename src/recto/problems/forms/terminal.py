"""A problem as lines for a person: what, where, then the tool's own words, the hint and the edit that mends it."""

from __future__ import annotations

from collections.abc import Callable

from recto.problems.forms.printable import one_line, printable_lines
from recto.problems.problem import Edit, Problem

Paint = Callable[[str], str]


def terminal_lines(problem: Problem, paint: Paint = str) -> list[str]:
    """The lines, without line ends. `paint` may colour the words `error`, `warning`, `info`, `hint` and `fix`."""
    where = f"{one_line(str(problem.source))}: " if problem.source else ""
    first = f"{paint(problem.level)}: {where}{one_line(problem.message)}"
    return [first, *(f"    {line}" for line in printable_lines(problem.excerpt)), *_indented(advice(problem, paint))]


def advice(problem: Problem, paint: Paint = str) -> list[str]:
    """What to do about the problem: the hint, and the edit with the lines that it takes away and puts in."""
    lines = [f"{paint('hint')}: {one_line(problem.hint)}"] if problem.hint.strip() else []
    if problem.fix:
        lines.append(f"{paint('fix')}: {one_line(problem.fix.title)}")
        lines += [line for edit in problem.fix.edits for line in _edit(edit)]
    return lines


def _edit(edit: Edit) -> list[str]:
    lines = [f"  {one_line(edit.file)}:{edit.line}"]
    if edit.old is not None:
        lines.append(f"  - {one_line(edit.old)}")
    if edit.new is not None:
        lines.append(f"  + {one_line(edit.new)}")
    return lines


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
