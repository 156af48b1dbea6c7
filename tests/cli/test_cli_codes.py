"""Failures of the command itself, each made to happen: the code, the words, the exit code."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from commandline import Recto
from loopback_index import LoopbackIndex, serving
from recto.problems import problem

pytest_plugins = ("cli_fixtures",)

# A command that has a bug.
_BROKEN = """
import sys, types
from recto.cli import main
module = types.ModuleType("broken")
def run(arguments, console):
    return {}["no such key"]
module.run = run
sys.modules["broken"] = module
main.COMMANDS["version"] = "broken"
sys.exit(main.main())
"""


@pytest.mark.makes("setting-invalid")
def test_a_setting_that_cannot_be_is_named_with_what_it_takes(bare: Recto) -> None:
    done = bare("doctor", "--json", RECTO_BUDGET="lots")
    assert (done.code, done.codes) == (1, ["setting-invalid"])
    assert "`RECTO_BUDGET` cannot be `lots`: expected a size such as `20 GB`." in done.err


@pytest.mark.makes("command-missing")
def test_a_command_that_is_not_there_is_named(recto: Recto) -> None:
    done = recto("run", "--", "pyhton", "-V")
    assert done.code == 1
    found = problem("command-missing", command="pyhton", reason="No such file or directory")
    assert f"error: {found.message}" in done.err
    assert f"hint: {found.hint}" in done.err


@pytest.mark.makes("internal")
def test_a_bug_ends_in_a_log_that_can_be_sent_and_never_in_a_traceback(bare: Recto, tmp_path: Path) -> None:
    broken = replace(bare, argv=(sys.executable, "-c", _BROKEN))
    process = broken.start("version", "--json", TMPDIR=str(tmp_path))
    out, err = process.communicate()
    assert process.returncode == 3
    assert [found["code"] for found in json.loads(out)["problems"]] == ["internal"]
    assert "Traceback" not in out + err
    (log,) = tmp_path.glob("recto-*.log")
    assert str(log) in err
    assert "KeyError: 'no such key'" in log.read_text()


@pytest.mark.makes("size-unknown")
def test_an_index_that_tells_no_sizes_cannot_be_held_to_a_cap(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("spam\n")
    index = LoopbackIndex(with_sizes=False)
    index.add("spam", "1.0")
    with serving(index):
        done = recto("check", "--json", RECTO_INDEX_URL=index.url)
    errors = [found for found in done.json["verdict"]["problems"] if found["level"] == "error"]
    assert [(found["code"], found["package"]) for found in errors] == [("size-unknown", "spam")]
