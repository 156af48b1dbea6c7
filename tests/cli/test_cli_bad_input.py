"""Each bad input ends in a problem with a code, a message and a hint, exit code 1, and nothing half made."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commandline import Ran, Recto, valid

pytest_plugins = ("cli_fixtures",)
pytestmark = pytest.mark.usefixtures("known")

DOCUMENT = "---\ntitle: Paper\n---\n\n```{python}\n1 + 1\n```\n"


@pytest.fixture
def paper(project: Path) -> Path:
    path = project / "paper.qmd"
    path.write_text(DOCUMENT)
    return path


@pytest.fixture(autouse=True)
def _nothing_half_made(data: Path, project: Path) -> Iterator[None]:
    yield
    for name in ("staging", "trash", "reservations", "envs", "locks"):
        directory = data / "v1" / name
        assert not directory.exists() or list(directory.iterdir()) == []
    assert not list(project.glob("*.html"))


def refused(done: Ran) -> list[dict[str, Any]]:
    assert done.code == 1, done.err
    problems: list[dict[str, Any]] = valid(done.json, "render")["problems"]
    errors = [problem for problem in problems if problem["level"] == "error"]
    assert errors
    for problem in errors:
        assert problem["message"]
        assert problem["hint"]
    return errors


def render(recto: Recto, document: Path, **variables: str) -> list[dict[str, Any]]:
    return refused(recto("render", document, "--json", "--engine", "jupyter", **variables))


@pytest.mark.makes("document-missing")
def test_a_missing_file(recto: Recto, project: Path) -> None:
    assert render(recto, project / "gone.qmd")[0]["code"] == "document-missing"


@pytest.mark.makes("declaration-too-large")
def test_a_ten_megabyte_requirements_file(recto: Recto, project: Path, paper: Path) -> None:
    (project / "requirements.txt").write_bytes(b"polars\n" * 1_500_000)
    assert render(recto, paper)[0]["code"] == "declaration-too-large"


@pytest.mark.parametrize("junk", [b"\x00\x01\x02" * 50, bytes(range(256)), b"\x7fELF\x02\x01\x01\x00" + b"\xff" * 64])
def test_binary_junk(recto: Recto, project: Path, paper: Path, junk: bytes) -> None:
    (project / "requirements.txt").write_bytes(junk)
    problem = render(recto, paper)[0]
    assert problem["code"].startswith("declaration-") or problem["code"] == "invalid-requirement"
    assert problem["source"]["file"] == "requirements.txt"


@pytest.mark.network
def test_a_name_that_does_not_exist(recto: Recto, project: Path, paper: Path) -> None:
    (project / "requirements.txt").write_text("# data\nno-such-package-4d1f\n")
    problem = render(recto, paper)[0]
    assert problem["code"] == "no-matching-distribution"
    assert problem["source"] == {"file": "requirements.txt", "line": 2}
    assert "no-such-package-4d1f" in problem["message"]


@pytest.mark.network
def test_an_impossible_pin(recto: Recto, project: Path, paper: Path) -> None:
    (project / "requirements.txt").write_text("humanize==999\n")
    problem = render(recto, paper)[0]
    assert problem["code"] == "no-matching-version"
    assert problem["source"] == {"file": "requirements.txt", "line": 1}


@pytest.mark.makes("requires-python-unmet")
def test_a_python_that_the_base_is_not(recto: Recto, project: Path, paper: Path) -> None:
    paper.write_text("---\npython:\n  requires-python: '>=3.99'\n---\n")
    problem = render(recto, paper)[0]
    assert problem["code"] == "requires-python-unmet"
    assert problem["source"] == {"file": "paper.qmd", "line": 3}


@pytest.mark.makes("format-unknown")
def test_an_unknown_format(recto: Recto, paper: Path) -> None:
    done = recto("render", paper, "--json", "--engine", "jupyter", "--to", "epub9")
    problem = refused(done)[0]
    assert problem["code"] == "format-unknown"
    assert "html" in problem["hint"]


def test_an_index_that_cannot_be_reached(recto: Recto, project: Path, paper: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    problem = render(recto, paper, RECTO_INDEX_URL="http://127.0.0.1:9/simple/")[0]
    assert problem["code"] == "network-unreachable"


@pytest.mark.makes("engine-missing")
def test_a_quarto_that_is_not_there(recto: Recto, paper: Path) -> None:
    done = recto("render", paper, "--json", "--engine", "quarto", PATH="/usr/bin:/bin")
    assert refused(done)[0]["code"] == "engine-missing"


def test_no_room_in_the_budget(recto: Recto, project: Path, paper: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    problem = render(recto, paper, RECTO_BUDGET="1 kB")[0]
    assert problem["code"] == "store-full"


@pytest.mark.makes("cap-download")
@pytest.mark.network
def test_a_cap_is_checked_before_anything_is_downloaded(recto: Recto, project: Path, paper: Path, data: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    problem = render(recto, paper, RECTO_DOWNLOAD_MAX="1 kB")[0]
    assert problem["code"] == "cap-download"
    assert not list((data / "v1" / "cache").rglob("humanize/*.py"))


@pytest.mark.makes("base-lacks-kernel")
def test_a_base_without_a_kernel(bare: Recto, project: Path, paper: Path, bare_venv: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    problem = render(bare, paper, RECTO_BASE=str(bare_venv))[0]
    assert problem["code"] == "base-lacks-kernel"


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment\n"])
def test_an_empty_requirements_file_asks_for_nothing(recto: Recto, project: Path, content: str) -> None:
    (project / "requirements.txt").write_text(content)
    (project / "paper.md").write_text("# No cells\n")
    done = recto("render", "paper.md", "--json", "--engine", "jupyter", "--output-dir", project / "out")
    assert done.code == 0, done.err
    assert valid(done.json, "render")["environment"]["state"] == "base"


def test_a_document_without_cells_needs_no_kernel(recto: Recto, project: Path) -> None:
    (project / "paper.qmd").write_text("---\ntitle: Words\n---\n\nOnly *words*.\n")
    done = recto("render", "paper.qmd", "--json", "--engine", "jupyter", "--output-dir", project / "out")
    assert done.code == 0, done.err
    assert "<em>words</em>" in (project / "out" / "paper.html").read_text()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    path = tmp_path / "small-disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", path], check=True)


def test_a_disk_that_is_too_small_is_refused_before_anything_is_built(
    recto: Recto, project: Path, paper: Path, small_disk: Path
) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    problem = render(recto, paper, RECTO_DATA_DIR=str(small_disk))[0]
    assert problem["code"] == "store-full"
    assert "recto env prune" in problem["hint"] or "RECTO_BUDGET" in problem["hint"]


@pytest.mark.network
def test_a_disk_that_fills_up_while_installing_is_a_problem(
    recto: Recto, project: Path, paper: Path, small_disk: Path
) -> None:
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    with (small_disk / "ballast").open("wb") as file:
        file.write(bytes(1_450_000))
    problem = render(recto, paper, RECTO_DATA_DIR=str(small_disk), RECTO_FREE_FLOOR="0")[0]
    assert problem["code"] in ("disk-full", "store-full")
    assert list((small_disk / "v1" / "staging").iterdir()) == []
    assert list((small_disk / "v1" / "envs").iterdir()) == []


@pytest.mark.makes("output-unwritable")
def test_an_output_directory_that_cannot_be_made_is_a_problem(recto: Recto, project: Path, paper: Path) -> None:
    (project / "file").write_text("")
    done = recto("render", paper, "--json", "--engine", "jupyter", "--output-dir", project / "file" / "out")
    assert refused(done)[0]["code"] == "output-unwritable"


def test_outputs_on_a_full_disk_are_a_problem_and_no_half_file(recto: Recto, paper: Path, small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    done = recto("render", paper, "--json", "--engine", "jupyter", "--output-dir", small_disk)
    assert refused(done)[0]["code"] == "disk-full"
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
