"""Failures that are remembered, at the real command line with the real resolver."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commandline import Recto, valid

pytest_plugins = ("cli_fixtures",)

pytestmark = [pytest.mark.network, pytest.mark.usefixtures("known")]

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


def test_what_is_remembered_is_shown_with_its_time_and_the_way_to_try_again(failing: Recto) -> None:
    commands = (("show", "show"), ("explain", "explain"))
    for action, schema in commands:
        before = valid(failing("env", action, "--json").json, schema)
        assert (before["state"], before["failure"]) == ("absent", None)
        assert "failed" not in failing("env", action).out
    failing("env", "build")
    for action, schema in commands:
        done = failing("env", action, "--json")
        shown = valid(done.json, schema)
        assert (done.code, shown["state"]) == (0, "failed")
        assert [found["code"] for found in shown["failure"]["problems"]] == REMEMBERED
        assert shown["failure"]["since"] < shown["failure"]["until"]
        assert not shown["failure"]["under_caps"]
        text = failing("env", action)
        assert f"failed {shown['failure']['since']}: no-matching-distribution\n" in text.out
        assert f"remembered until {shown['failure']['until']}; `recto env build --retry` tries again now\n" in text.out
        assert NAME in text.err


def test_what_a_cap_refused_is_shown_to_end_with_the_cap(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    recto("env", "build", RECTO_PACKAGES_MAX="0")
    assert ", or until the limits change; " in recto("env", "show", RECTO_PACKAGES_MAX="0").out
    assert valid(recto("env", "show", "--json").json, "show")["failure"] is None


def test_the_doctor_counts_what_is_remembered_and_names_what_cannot_be_read(failing: Recto, data: Path) -> None:
    def memory() -> tuple[str, str]:
        (row,) = (row for row in failing("doctor", "--json").json["checks"] if row["check"] == "memory")
        return row["status"], row["detail"]

    assert memory() == ("ok", "0 failures remembered")
    failing("env", "build")
    (record,) = (data / "v1" / "failures").iterdir()
    status, detail = memory()
    assert status == "ok"
    assert detail.startswith("1 failure remembered, the oldest of 20")
    record.write_bytes(record.read_bytes()[:40])
    status, detail = memory()
    assert status == "warning"
    cannot = "1 record cannot be read and may be deleted"
    assert detail.startswith(f"0 failures remembered; {cannot}: failures/{record.name} ")
    assert failing("env", "build", "--json").codes == FAILED
    assert memory()[0] == "ok"


def test_a_document_that_had_no_packages_is_rendered_with_the_base_alone(recto: Recto, project: Path) -> None:
    (project / "paper.qmd").write_text("# Paper\n\n```{python}\nprint(6 * 7)\n```\n")
    recto = Recto({**recto.variables, "RECTO_LAST_GOOD": "on"}, recto.cwd)
    assert recto("render", "paper.qmd", "--engine", "jupyter", "--json").json["environment"]["state"] == "base"
    (project / "requirements.txt").write_text(f"{NAME}\n")
    done = recto("render", "paper.qmd", "--engine", "jupyter", "--json")
    report = valid(done.json, "render")
    assert (done.code, report["status"]) == (0, "success")
    assert (report["environment"]["state"], report["environment"]["key"]) == ("last-good", None)
    assert done.codes[:2] == ["last-good", "no-matching-distribution"]
    said = recto("render", "paper.qmd", "--engine", "jupyter").err
    assert "Rendered with the packages of the base; jupyter" in said
    assert "those of the base alone" in said


@pytest.mark.slow
def test_thirty_processes_that_ask_for_what_fails_make_one_attempt(failing: Recto) -> None:
    processes = [failing.start("env", "build", "--json") for _ in range(30)]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [1] * 30, outputs
    told = [[problem["code"] for problem in json.loads(out)["problems"]] for out, _ in outputs]
    assert sorted(told, key=len) == [FAILED] + [REMEMBERED] * 29
