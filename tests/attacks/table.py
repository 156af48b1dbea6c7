"""The table of `docs/security.md`: each case, and what came of it under each mechanism."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from case import MECHANISMS, Case
from result import Result

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
START, END = "<!-- attacks -->\n", "<!-- /attacks -->\n"

# What became of the tries of a case under a mechanism, by their names; those that became what most do may be left out.
Became = Callable[[Case, str], Mapping[str, str]]


def expected(case: Case, mechanism: str) -> Mapping[str, str]:
    """What the case says."""
    return case.expected(mechanism).became


def seen(results: Iterable[Result]) -> Became:
    """What a run saw; asked for a case that was not run under a mechanism it raises KeyError."""
    found = {(result.case, result.mechanism): result.seen.became for result in results}
    return lambda case, mechanism: found[case.name, mechanism]


def table(cases: Iterable[Case], became: Became) -> str:
    """The table in Markdown."""
    lines = ["| attempt | bubblewrap | landlock | none (control) |", "| --- | --- | --- | --- |"]
    for case in cases:
        cells = [cell(case.expected(mechanism).all, became(case, mechanism)) for mechanism in MECHANISMS]
        cells[-1] += f". {case.control}" if case.control else ""
        lines.append(f"| {' | '.join((case.attempt, *cells))} |")
    return "\n".join(lines) + "\n"


def cell(most: str, became: Mapping[str, str]) -> str:
    """What became of most tries, then what became of others, with their names."""
    others: dict[str, list[str]] = {}
    for name, what in sorted(became.items()):
        if what != most:
            others.setdefault(what, []).append(name)
    named = [f"{what}: {', '.join(names)}" for what, names in sorted(others.items())]
    return "; ".join((most, *named) if most else named)


def written(page: str, made: str) -> str:
    """The page with this table in the place of the one that it has."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{made}\n{END}{after}"


def shown(page: str) -> str:
    """The table that the page has."""
    return page.split(START)[1].split(END, maxsplit=1)[0].strip() + "\n"
