"""Every case under every mechanism that this machine has: what became of it, and that without one it works."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from case import MECHANISMS, Case, cases
from mechanism import skip_unless_available
from msgspec.structs import replace
from running import RUNS
from table import PAGE, expected, shown, table
from words import WORKS

CASES = cases()


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_comes_to_what_it_says(case: Case, mechanism: str, shared: Path) -> None:
    skip_unless_available(mechanism)
    if mechanism == "none" and "root" in case.needs and os.geteuid() != 0:
        pytest.skip("without containment only root can do all of this, so that there is no control")

    result = RUNS[case.kind](case, mechanism)
    result = replace(result, seen=case.judged(result.seen, mechanism))

    if mechanism != "none" and "groups" in case.needs and not set(result.tiers.values()) & {"cgroup-v1", "cgroup-v2"}:
        pytest.skip("no control group can be made here: memory and processes are limited for each process by itself")
    result.write(shared / "attacks")
    assert result.seen == case.wanted(mechanism, result.seen.became)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_has_a_control_that_works_or_says_why_it_has_none(case: Case) -> None:
    without = case.none.all == WORKS and not set(case.none.became.values()) - {WORKS}

    assert without or case.control
    assert all(case.uncontrolled.values())
    # Whatever is contained differs from what is not.
    assert case.bubblewrap != case.none or case.control


def test_the_page_shows_what_the_cases_say() -> None:
    """Each of them is held to that by the run, so it is also what the run has seen."""
    assert shown(PAGE.read_text()) == table(CASES, expected), "run scripts/attacks"
