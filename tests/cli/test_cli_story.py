"""What a user does, with real packages: declare, check, build, run, update, look, remove."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from commandline import Recto, valid
from rights import HELD

pytest_plugins = ("cli_fixtures",)

pytestmark = pytest.mark.network


@pytest.fixture
def declared(project: Path) -> Path:
    (project / "requirements.txt").write_text("# small ones\nhumanize==4.9.0\n")
    return project


def test_the_price_tag_is_what_is_paid(recto: Recto, declared: Path) -> None:
    checked = valid(recto("check", "--json").json, "check")
    assert checked["state"] == "absent"
    assert [(item["name"], item["version"]) for item in checked["plan"]["install"]] == [("humanize", "4.9.0")]
    assert 0 < checked["plan"]["download_bytes"] < 1_000_000
    assert recto("env", "list", "--json").json["environments"] == []

    built = recto("env", "build", "--json").json
    assert built["state"] == "built"
    assert built["key"] == checked["environment_key"]
    assert recto("env", "build", "--json").json["state"] == "cached"
    assert recto("check", "--json").json["state"] == "ready"


def test_a_command_runs_in_the_projects_environment(recto: Recto, declared: Path) -> None:
    script = "import humanize, os, sys; print(humanize.__version__, sys.prefix == os.environ['VIRTUAL_ENV'])"
    done = recto("run", "--", "python", "-c", script)
    assert done.code == 0, done.err
    assert done.out == "4.9.0 True\n"
    quarto = recto("run", "--", "sh", "-c", '"$QUARTO_PYTHON" -c "import humanize, nbclient; print(humanize.__file__)"')
    assert "/v1/envs/" in quarto.out


def test_an_environment_in_use_is_not_evicted_and_goes_afterwards(recto: Recto, declared: Path) -> None:
    # `cat` has the environment until its standard input ends; `recto` itself is gone by then.
    held = subprocess.Popen(
        [*recto.argv, "run", "--", "sh", "-c", "echo held; exec cat"],
        env=recto.variables,
        cwd=recto.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert held.stdout is not None
    assert held.stdin is not None
    assert held.stdout.readline() == b"held\n"
    key = recto("env", "list", "--json").json["environments"][0]["key"]
    assert recto("env", "prune", "--budget", "0", "--json").json["removed"] == []
    refused = recto("env", "rm", key[:8])
    assert refused.code == 1
    assert "in use" in refused.err
    held.stdin.close()
    held.stdout.close()
    assert held.wait() == 0
    assert recto("env", "prune", "--budget", "0", "--json").json["removed"] == [key]


def test_a_signal_reaches_the_command(recto: Recto, declared: Path) -> None:
    process = recto.start("run", "--", "sh", "-c", "echo ready; exec cat /dev/zero > /dev/null")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM
    process.stdout.close()
    process.stderr.close()


def test_a_pinned_environment_outlives_pruning(recto: Recto, declared: Path) -> None:
    key = recto("env", "build", "--json").json["key"]
    assert recto("env", "pin", key[:6]).code == 0
    assert recto("env", "prune", "--budget", "0", "--json").json["removed"] == []
    assert recto("env", "unpin", key[:6]).code == 0
    assert recto("env", "prune", "--budget", "0", "--json").json["removed"] == [key]


def test_a_removed_environment_comes_back_from_its_lock(recto: Recto, declared: Path) -> None:
    key = recto("env", "build", "--json").json["key"]
    assert recto("env", "rm", key).code == 0
    again = recto("env", "build", "--json").json
    assert (again["key"], again["state"]) == (key, "built")


def test_both_keys_explain_themselves(recto: Recto, declared: Path) -> None:
    built = recto("env", "build", "--json").json
    value = valid(recto("env", "explain", "--json").json, "explain")
    assert value["environment_key"] == built["key"]
    assert value["state"] == "ready"
    assert value["environment"]["packages"][0].startswith("humanize==4.9.0 sha256:")
    shown = recto("env", "show")
    assert "humanize==4.9.0" in shown.out


def test_an_update_says_what_moved(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    (project / "_quarto.yml").write_text("python:\n  as-of: 2024-01-01\n")
    first = recto("env", "build", "--json").json
    nothing = recto("env", "update", "--json").json
    assert nothing["moved"] == []
    assert nothing["key"] == first["key"]


def test_a_resolution_is_fixed_by_its_date(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    (project / "_quarto.yml").write_text("python:\n  as-of: 2024-01-01\n")
    plan = recto("check", "--json").json["plan"]
    assert [(item["name"], item["version"]) for item in plan["install"]] == [("humanize", "4.9.0")]


def test_the_environment_cannot_be_changed_from_inside(recto: Recto, declared: Path) -> None:
    done = recto("run", "--", "python", "-m", "pip", "install", "networkx")
    assert done.code == 1
    assert "networkx" in done.out + done.err
    assert "requirements.txt" in done.out + done.err


def test_the_environment_is_read_only(recto: Recto, declared: Path) -> None:
    done = recto("run", "--", *HELD, "python", "-c", "import humanize; open(humanize.__file__, 'a')")
    assert done.code != 0
    assert "PermissionError" in done.err


@pytest.fixture
def paper(declared: Path) -> Path:
    path = declared / "paper.qmd"
    path.write_text("---\ntitle: Sums\n---\n\n```{python}\nimport humanize\nhumanize.intcomma(1234567)\n```\n")
    return path


def test_a_render_follows_its_schema_and_uses_the_projects_packages(recto: Recto, paper: Path) -> None:
    first = recto("render", paper, "--json", "--engine", "jupyter")
    assert first.code == 0, first.err
    value = valid(first.json, "render")
    assert value["status"] == "success"
    assert value["engine"] == "jupyter"
    assert value["environment"]["state"] == "built"
    assert value["sandbox"] == {"mechanism": "none", "limits": {}}
    assert value["outputs"] == [
        {"path": str(paper.with_suffix(".html")), "bytes": paper.with_suffix(".html").stat().st_size}
    ]
    assert "1,234,567" in paper.with_suffix(".html").read_text()
    assert valid(recto("render", paper, "--json", "--engine", "jupyter").json, "render")["environment"] == {
        **value["environment"],
        "state": "cached",
    }


def test_talk_goes_to_standard_error_and_paths_to_standard_output(recto: Recto, paper: Path) -> None:
    done = recto("render", paper, "--engine", "jupyter", "--to", "html", "--to", "docx")
    assert done.out.splitlines() == [str(paper.with_suffix(".html")), str(paper.with_suffix(".docx"))]
    for word in ("Resolving", "Installing", "Executing", "was built"):
        assert word in done.err
    assert "was ready" in recto("render", paper, "--engine", "jupyter").err


def test_an_undeclared_module_ends_in_the_line_to_add_which_mends_it(recto: Recto, paper: Path) -> None:
    paper.write_text("```{python}\nimport tabulate\ntabulate.tabulate([[1, 2]])\n```\n")
    failed = recto("render", paper, "--json", "--engine", "jupyter")
    assert failed.code == 1
    (problem,) = valid(failed.json, "render")["problems"]
    assert problem["code"] == "missing-module"
    assert problem["source"] == {"file": "paper.qmd", "line": 2}
    assert problem["hint"] == "Add the line `tabulate` to `requirements.txt`."
    (edit,) = problem["fix"]["edits"]
    assert edit == {"file": "requirements.txt", "line": 3, "old": None, "new": "tabulate"}
    with paper.with_name("requirements.txt").open("a") as declaration:
        declaration.write(f"{edit['new']}\n")
    assert recto("render", paper, "--engine", "jupyter").code == 0


def test_an_unknown_module_is_never_guessed_to_be_a_package_of_its_name(recto: Recto, paper: Path) -> None:
    paper.write_text("```{python}\nimport something_of_ours\n```\n")
    (problem,) = recto("render", paper, "--json", "--engine", "jupyter").json["problems"]
    assert problem["code"] == "missing-module"
    assert problem["fix"] is None
    assert "may differ" in problem["hint"]


@pytest.mark.makes("out-of-memory")
def test_memory_that_runs_out_in_a_cell_is_told_apart(recto: Recto, paper: Path) -> None:
    paper.write_text("```{python}\nx = bytearray(1 << 60)\n```\n")
    (problem,) = recto("render", paper, "--json", "--engine", "jupyter").json["problems"]
    assert problem["code"] == "out-of-memory"


def test_a_failing_cell_is_named_with_document_cell_and_line(recto: Recto, paper: Path) -> None:
    paper.write_text("# A\n\n```{python}\n1\n```\n\n```{python}\nx = 0\n1 / x\n```\n")
    done = recto("render", paper, "--json", "--engine", "jupyter")
    (problem,) = valid(done.json, "render")["problems"]
    assert problem["code"] == "cell-error"
    assert problem["source"] == {"file": "paper.qmd", "line": 9}
    assert "Cell 2 of `paper.qmd`" in problem["message"]
    assert "division by zero" in problem["message"]


def test_an_interrupted_render_ends_with_130_and_leaves_no_process(recto: Recto, paper: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = f"import os, signal\nopen({str(pipe)!r}, 'w').write(str(os.getpid()))\nsignal.pause()"
    paper.write_text(f"```{{python}}\n{code}\n```\n")
    process = recto.start("render", paper, "--engine", "jupyter")
    kernel = int(pipe.read_text())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "Interrupted." in said
    # Until something inherits and reaps it, a killed process is a zombie.
    assert not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == psutil.STATUS_ZOMBIE
    assert not paper.with_suffix(".html").exists()
    assert recto("env", "prune", "--budget", "0", "--json").json["removed"] != []
