"""The standard streams in every state that a caller may leave them in, and JSON whatever happens."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from commandline import Recto, valid

pytest_plugins = ("cli_fixtures",)
pytestmark = pytest.mark.usefixtures("known")


@pytest.mark.parametrize(
    "arguments",
    [
        ("env", "build", "nowhere"),
        ("env", "show", "nowhere"),
        ("env", "explain", "nowhere"),
        ("env", "update", "nowhere"),
        ("env", "pin", "ffff"),
        ("env", "rm", "ffff"),
        ("env", "prune", "--budget", "lots"),
        ("base", "build", "--requirements", "nowhere"),
        ("diagnose", "nowhere"),
    ],
)
def test_a_failure_before_any_result_is_one_object_with_problems(recto: Recto, arguments: tuple[str, ...]) -> None:
    done = recto(*arguments, "--json")
    assert done.code == 1
    assert list(done.json) == ["problems"]
    assert done.json["problems"][0]["message"] in done.err


@pytest.mark.parametrize(
    "variables", [{"RECTO_BASE": "/nowhere"}, {"RECTO_BUDGET": "lots"}, {"RECTO_DATA_DIR": "/proc/x"}]
)
@pytest.mark.parametrize("command", ["check", "render"])
def test_a_setting_that_cannot_be_leaves_the_shape_as_it_is(
    recto: Recto, project: Path, command: str, variables: dict[str, str]
) -> None:
    (project / "paper.md").write_text("Hi\n")
    done = recto(command, "paper.md", "--json", **variables)
    assert done.code == 1
    assert valid(done.json, command)["problems"]


def test_a_check_of_a_missing_path_follows_its_schema(recto: Recto) -> None:
    done = recto("check", "nowhere.qmd", "--json")
    assert done.code == 1
    assert valid(done.json, "check")["state"] == "failed"
    assert done.codes == ["document-missing"]


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["version", "diagnose", "render paper.md"])
def test_a_closed_stream_is_one_that_nobody_reads(
    recto: Recto, project: Path, arguments: str, redirection: str
) -> None:
    (project / "paper.md").write_text("Hi\n")
    shell = Recto(recto.variables, recto.cwd, ("sh", "-c", f'"$@" {redirection}', "sh", *recto.argv))
    done = shell(*arguments.split())
    assert done.code == 0
    assert "failed in a way" not in done.err


def test_a_child_prints_nothing_into_a_file_that_took_the_place_of_a_closed_stream(recto: Recto) -> None:
    shell = Recto(recto.variables, recto.cwd, ("sh", "-c", '"$@" >&-', "sh", *recto.argv))
    done = shell("run", "--", "python", "-c", "import os, sys; print(os.readlink('/proc/self/fd/1'), file=sys.stderr)")
    assert done.err.splitlines()[-1] == "/dev/null"


def test_names_that_the_streams_cannot_show_stop_no_command(recto: Recto, project: Path) -> None:
    (project / "naïve.md").write_text("Hi\n")
    done = subprocess.run(
        [*recto.argv, "render", "naïve.md", "--json"],
        env={**recto.variables, "PYTHONIOENCODING": "ascii"},
        cwd=project,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["outputs"][0]["path"] == str(project / "naïve.html")


def test_a_name_that_is_no_text_is_shown_in_json(recto: Recto) -> None:
    done = recto("check", b"gone\xff.qmd".decode("utf-8", "surrogateescape"), "--json")
    assert done.code == 1
    assert done.json["problems"][0]["message"] == "There is no document `gone\udcff.qmd`."


def test_a_command_in_a_project_that_is_not_there_does_not_run(recto: Recto) -> None:
    done = recto("run", "--project", "nowhere", "--", "echo", "ran")
    assert (done.code, done.out) == (1, "")
    assert "`nowhere`" in done.err


def test_an_empty_command_is_wrong_usage(recto: Recto) -> None:
    assert recto("run", "--", "").code == 2


def test_an_output_directory_that_is_a_file_is_named(recto: Recto, project: Path) -> None:
    (project / "paper.md").write_text("Hi\n")
    done = recto("render", "paper.md", "--json", "--output-dir", "paper.md")
    assert done.code == 1
    assert done.codes == ["output-unwritable"]
    assert "not a directory" in done.err


def test_a_problem_that_names_the_log_comes_with_its_place(recto: Recto, project: Path, tmp_path: Path) -> None:
    (project / "paper.qmd").write_text("```{=typst}\n#nothing-of-this-name()\n```\n")
    done = recto("render", "paper.qmd", "--to", "pdf", "--json", "--engine", "jupyter", TMPDIR=str(tmp_path))
    assert done.code == 1
    assert done.codes == ["render-failed"]
    (place,) = re.findall(r"The log is `(.+)`\.", done.err)
    assert "nothing-of-this-name" in Path(place).read_text()


def test_a_terminated_render_says_so_in_its_own_shape(recto: Recto, project: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (project / "paper.qmd").write_text(
        f"```{{python}}\nimport signal\nopen({str(pipe)!r}, 'w').close()\nsignal.pause()\n```\n"
    )
    process = recto.start("render", "paper.qmd", "--json", "--engine", "jupyter")
    pipe.read_bytes()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert valid(json.loads(out), "render")["status"] == "terminated"
