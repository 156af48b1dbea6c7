"""Failures that are remembered, at the real command line with the real resolver."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commandline import Recto, valid

pytest_plugins = ("cli_fixtures",)

pytestmark = pytest.mark.network

NAME = "no-such-package-for-recto"
FAILED = ["no-matching-distribution"]
REMEMBERED = [*FAILED, "failure-remembered"]


@pytest.fixture
def failing(recto: Recto, project: Path) -> Recto:
    (project / "requirements.txt").write_text(f"{NAME}\n")
    return recto


def test_every_command_tells_what_one_found_out_and_tries_again_when_asked(failing: Recto, project: Path) -> None:
    (project / "paper.md").write_text("# Paper\n")
    commands = (("env", "build", "--json"), ("check", "--json"), ("render", "paper.md", "--json"))
    assert failing(*commands[0]).codes == FAILED
    for command in commands:
        again = failing(*command)
        assert (again.code, again.codes) == (1, REMEMBERED)
        assert failing(*command, "--retry").codes == FAILED
    assert "`--retry`" in failing("run", "--", "true").err
    assert "`--retry`" not in failing("run", "--retry", "--", "true").err
    assert valid(failing("check", "--json").json, "check")["state"] == "failed"


def test_a_comment_above_moves_the_line_and_tries_nothing(failing: Recto, project: Path) -> None:
    assert failing("env", "build", "--json").codes == FAILED
    (project / "requirements.txt").write_text(f"# for the figures\n\n{NAME}  # new\n")
    again = failing("env", "build", "--json")
    assert again.codes == REMEMBERED
    assert again.json["problems"][0]["source"] == {"file": "requirements.txt", "line": 3}


def test_a_mended_declaration_is_tried_at_once(failing: Recto, project: Path) -> None:
    assert failing("check", "--json").codes == FAILED
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    assert failing("check", "--json").json["state"] == "absent"


@pytest.mark.makes("cap-packages", "failure-remembered")
def test_a_cap_is_told_again_until_it_is_raised(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    for codes in (["cap-packages"], ["cap-packages", "failure-remembered"]):
        assert recto("env", "build", "--json", RECTO_PACKAGES_MAX="0").codes == codes
    assert recto("env", "build", "--json").code == 0


def test_pruning_leaves_what_still_counts(failing: Recto, data: Path) -> None:
    failing("check")
    failing("env", "prune")
    assert len(list((data / "v1" / "failures").iterdir())) == 1
    assert failing("check", "--json").codes == REMEMBERED


@pytest.mark.slow
def test_thirty_processes_that_ask_for_what_fails_make_one_attempt(failing: Recto) -> None:
    processes = [failing.start("env", "build", "--json") for _ in range(30)]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [1] * 30, outputs
    told = [[problem["code"] for problem in json.loads(out)["problems"]] for out, _ in outputs]
    assert sorted(told, key=len) == [FAILED] + [REMEMBERED] * 29
