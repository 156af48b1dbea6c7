"""Every case under every mechanism that this machine has: what became of it, and that without one it works."""

from __future__ import annotations

import os
from pathlib import Path

import command
import pytest
from case import MECHANISMS, ROWS, Case, cases
from mechanism import skip_unless_available
from msgspec.structs import replace
from result import Result
from running import CONTROLS, RUNS
from stage import Tools
from table import PAGE, expected, shown, table
from words import WORKS

pytest_plugins = ("attack_fixtures",)

CASES = cases()
FACTS = Path(__file__).parents[3] / "shared" / "facts" / "sandbox.md"


def named(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("case", [case for case in CASES if case.kind == "command"], ids=named)
def test_a_command_comes_to_what_its_case_says(case: Case, mechanism: str, shared: Path) -> None:
    skip_unless_available(mechanism)
    if mechanism == "none" and "root" in case.needs and os.geteuid() != 0:
        pytest.skip("without containment only root can do all of this, so that there is no control")

    result = command.run(case, mechanism)

    if mechanism != "none" and "groups" in case.needs and not set(result.tiers.values()) & {"cgroup-v1", "cgroup-v2"}:
        pytest.skip("no control group can be made here: memory and processes are limited for each process by itself")
    hold(case, result, shared)


@pytest.mark.network
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "command"], ids=named)
def test_what_recto_runs_comes_to_what_its_case_says(case: Case, mechanism: str, shared: Path, tools: Tools) -> None:
    skip_unless_available(mechanism)

    stands_in = mechanism == "none" and case.control
    result = CONTROLS[case.kind](case, tools) if stands_in else RUNS[case.kind](case, mechanism, tools)

    hold(case, result, shared)


def hold(case: Case, result: Result, shared: Path) -> None:
    """Keeps what was seen for the table, and holds it to what the case says."""
    result = replace(result, seen=case.judged(result.seen, result.mechanism))
    result.write(shared / "attacks")
    # Else an attack that did not even begin would have come to what all of its tries must.
    assert result.seen.became
    assert result.seen == case.wanted(result.mechanism, result.seen.became)


@pytest.mark.network
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.control and case.kind not in ("source", "wheels")], ids=named
)
def test_what_recto_itself_is_in_the_way_of_comes_to_nothing_more_where_nothing_contains_it(
    case: Case, tools: Tools
) -> None:
    seen = case.judged(RUNS[case.kind](case, "none", tools).seen, "bubblewrap")

    assert seen == case.wanted("bubblewrap", seen.became)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_every_control_works_but_for_tries_that_say_why_they_have_none(case: Case) -> None:
    assert (case.none.all, set(case.none.became.values()) - {WORKS}) == (WORKS, set())
    assert all(case.uncontrolled.values())
    # Whatever is contained differs from what is not.
    assert case.bubblewrap != case.none or case.control


def test_every_row_has_a_case() -> None:
    assert {case.row for case in CASES} == set(ROWS.read_text().splitlines())


def test_the_rows_are_those_of_the_list_of_attacks() -> None:
    if not FACTS.exists():
        pytest.skip(f"{FACTS} is not here: the list of attacks is kept beside the repository, not in it")
    section = FACTS.read_text().split("\n## 6.")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]

    assert ROWS.read_text().splitlines() == rows[2:]


def test_the_page_shows_what_the_cases_say() -> None:
    """Each of them is held to that by the run, so it is also what the run has seen."""
    assert shown(PAGE.read_text()) == table(CASES, expected), "run scripts/attacks"
