"""`recto base` and the environments over a base that changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import Recto
from conftest import keep_for_run
from recto.builder.workbench import Workbench

pytest_plugins = ("cli_fixtures",)
pytestmark = [pytest.mark.network, pytest.mark.slow]

STACK = "ipykernel\njupyter-client\njupyter-core\nnbclient\nnbformat\nPyYAML\n"


@pytest.fixture
def listed(project: Path) -> Path:
    """A list of packages for a base."""
    requirements = project.parent / "base.txt"
    requirements.write_text(STACK)
    return requirements


@pytest.fixture
def own_base(bare: Recto, listed: Path, workbench: Workbench, data: Path) -> Path:
    """A list of packages that a base was made of, with the wheels and compiled files that this test run keeps."""
    keep_for_run(workbench, data)
    assert bare("base", "build", "--requirements", listed).code == 0
    return listed


def test_a_base_is_made_once_and_used_by_default(bare: Recto, listed: Path, project: Path) -> None:
    assert bare("base", "build", "--requirements", listed).code == 0
    again = bare("base", "build", "--requirements", listed, "--json")
    assert again.code == 0
    assert "Resolving" not in again.err
    shown = bare("base", "show", "--json").json
    assert shown == again.json
    assert shown["missing"] == []
    assert shown["distributions"]["ipykernel"]
    (project / "paper.qmd").write_text("```{python}\nimport sys; print(sys.prefix)\n```\n")
    rendered = bare("render", "paper.qmd", "--json", "--engine", "jupyter")
    assert rendered.code == 0, rendered.err
    assert rendered.json["environment"]["python"] == shown["python"]


def test_a_list_that_is_not_there_is_a_problem(bare: Recto) -> None:
    done = bare("base", "build", "--requirements", "nowhere.txt")
    assert done.code == 1
    assert "`nowhere.txt`" in done.err


def test_a_list_that_cannot_be_had_leaves_the_base_as_it_was(bare: Recto, own_base: Path) -> None:
    before = bare("base", "show", "--json").json
    own_base.write_text(STACK + "no-such-package-4d1f\n")
    failed = bare("base", "build", "--requirements", own_base)
    assert failed.code == 1
    assert "no-such-package-4d1f" in failed.err
    assert bare("base", "show", "--json").json == before


def test_a_base_that_gains_a_package_resolves_and_rebuilds_nothing(
    bare: Recto, own_base: Path, project: Path, data: Path
) -> None:
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    first = bare("env", "build", "--json").json
    own_base.write_text(STACK + "tabulate\n")
    assert bare("base", "build", "--requirements", own_base).code == 0
    unreachable = bare("env", "build", "--json", RECTO_INDEX_URL="http://127.0.0.1:9/")
    assert unreachable.code == 0, unreachable.err
    assert unreachable.json == {**first, "state": "cached"}
    assert len(list((data / "v1" / "specs").iterdir())) == 2


@pytest.mark.makes("base-drift")
def test_a_base_that_moves_a_package_underneath_says_what_moved(bare: Recto, own_base: Path, project: Path) -> None:
    own_base.write_text(STACK + "tabulate==0.8.10\n")
    assert bare("base", "build", "--requirements", own_base).code == 0
    (project / "requirements.txt").write_text("tabulate\nhumanize==4.9.0\n")
    first = bare("check", "--json").json
    assert {item["name"] for item in first["plan"]["from_base"]} >= {"tabulate"}
    own_base.write_text(STACK + "tabulate==0.9.0\n")
    assert bare("base", "build", "--requirements", own_base).code == 0
    second = bare("check", "--json")
    assert second.json["environment_key"] != first["environment_key"]
    (drift,) = second.json["problems"]
    assert drift["code"] == "base-drift"
    assert drift["level"] == "info"
    assert "tabulate 0.8.10 → 0.9.0" in drift["message"]
