"""A missing module, from the failing cell to the render that succeeds: real kernels, real packages of the index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commandline import Recto, valid
from launcher import launcher_in
from recto.declaration.mending import mended
from recto.problems import Problem

pytest_plugins = ("cli_fixtures",)
pytestmark = [pytest.mark.network, pytest.mark.usefixtures("known")]


@pytest.fixture
def quarto(tmp_path: Path) -> Path:
    """The stand-in for Quarto."""
    return launcher_in(tmp_path)


def rendered(recto: Recto, *cells: str, **more: str) -> tuple[int, dict[str, Any]]:
    """The status and the first problem of a render of these cells."""
    paper = recto.cwd / "paper.qmd"
    paper.write_text("\n".join(f"```{{python}}\n{cell}\n```\n" for cell in cells))
    return again(recto, **more)


def again(recto: Recto, **more: str) -> tuple[int, dict[str, Any]]:
    engine = "quarto" if more else "jupyter"
    done = recto("render", recto.cwd / "paper.qmd", "--json", "--engine", engine, **more)
    problems = valid(done.json, "render")["problems"]
    return done.code, problems[0] if problems else {}


def mend(recto: Recto, found: dict[str, Any]) -> None:
    """Makes the edits of the problem."""
    fix = Problem.from_json(found).fix
    assert fix is not None, found
    path = recto.cwd / fix.edits[0].file
    path.write_bytes(mended(path.read_bytes() if path.exists() else None, fix.edits))


@pytest.mark.parametrize(
    ("cell", "module", "line"),
    [
        ("import bs4\nprint(bs4.BeautifulSoup('<p>1</p>', 'html.parser').p)", "bs4", "beautifulsoup4"),
        ("from slugify import slugify\nprint(slugify('A b'))", "slugify", "python-slugify"),
        ("import ruamel.yaml as y\nprint(y.YAML())", "ruamel", "ruamel-yaml"),
        ("from google.protobuf import (\n    timestamp_pb2,\n)\nprint(timestamp_pb2)", "google", "protobuf"),
    ],
)
def test_the_edit_makes_the_next_render_succeed(recto: Recto, project: Path, cell: str, module: str, line: str) -> None:
    code, found = rendered(recto, "x = 1", cell)
    assert (code, found["code"], found["package"]) == (1, "missing-module", module)
    assert found["source"] == {"file": "paper.qmd", "line": 6}
    mend(recto, found)
    assert (project / "requirements.txt").read_text() == f"{line}\n"
    assert again(recto) == (0, {})


@pytest.mark.slow
def test_a_large_package_is_found_too(recto: Recto) -> None:
    code, found = rendered(recto, "import cv2\nprint(cv2.__version__)")
    assert (code, found["code"]) == (1, "missing-module")
    mend(recto, found)
    assert again(recto) == (0, {})


def test_two_parts_of_a_namespace_are_declared_at_once(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("humanize")
    code, found = rendered(recto, "from google import protobuf, auth\nprint(protobuf, auth)")
    assert (code, found["package"]) == (1, "google")
    mend(recto, found)
    assert (project / "requirements.txt").read_text() == "humanize\nprotobuf\ngoogle-auth\n"
    assert again(recto) == (0, {})


def test_quarto_is_told_the_same(recto: Recto, project: Path, quarto: Path) -> None:
    more = {"RECTO_QUARTO": str(quarto)}
    (project / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = [\n    "humanize",\n]\n')
    code, found = rendered(recto, "import ruamel.yaml\nprint(ruamel.yaml.YAML())", **more)
    assert (code, found["code"], found["source"]) == (1, "missing-module", {"file": "paper.qmd", "line": 2})
    mend(recto, found)
    assert '    "ruamel-yaml",\n    "humanize",\n' in (project / "pyproject.toml").read_text()
    assert again(recto, **more)[0] == 0


def test_what_another_project_installed_is_suggested_and_works(recto: Recto, project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "requirements.txt").write_text("ansimarkup\n")
    assert recto("env", "build", other).code == 0
    code, found = rendered(recto, "import ansimarkup\nprint(ansimarkup)")
    assert (code, found["package"]) == (1, "ansimarkup")
    assert "to another environment" in found["hint"]
    mend(recto, found)
    assert (project / "requirements.txt").read_text() == "ansimarkup\n"
    assert again(recto) == (0, {})


def test_a_misspelling_is_mended_in_the_document(recto: Recto) -> None:
    code, found = rendered(recto, "import tornadp as t\nprint(t)")
    assert code == 1
    assert "`tornado`, which is installed" in found["hint"]
    mend(recto, found)
    assert again(recto) == (0, {})


def test_a_missing_part_of_a_package_of_the_base_is_not_declared(recto: Recto, project: Path) -> None:
    code, found = rendered(recto, "import tornado.nothing")
    assert (code, found["package"], found["fix"]) == (1, "tornado.nothing", None)
    assert "`tornado` comes with `tornado`" in found["hint"]
    assert not (project / "requirements.txt").exists()
