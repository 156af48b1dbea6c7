"""Cells that leave links, pipes, giants and deep trees where the built-in engine reads and writes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from recto.engines.base import Rendered
from recto.problems.forms.as_json import json_form

pytest_plugins = ("jupyter_fixtures",)

Render = Callable[..., Rendered]

SECRET = "marker-71d0-of-the-outside"


@pytest.fixture
def away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory outside of the project, with a secret under many names."""
    directory = tmp_path_factory.mktemp("away")
    for name in ("secret", "secret.png", "secret.bib", "secret.svg"):
        (directory / name).write_text(SECRET)
    return directory


def told(rendered: Rendered, project: Path) -> str:
    """All that anybody is shown of a render: its problems, its log and its outputs."""
    pages = "".join(path.read_text(errors="replace") for path in rendered.outputs)
    return f"{json_form(rendered.problems)}{rendered.log}{pages}"


@pytest.mark.network
def test_images_and_bibliographies_that_cells_planted_lead_nowhere(run: Render, tmp_path: Path, away: Path) -> None:
    cell = f"""
import os, socket
os.symlink("{away}/secret.png", "link.png")
os.symlink("{away}", "linked")
os.symlink("/proc/self/root{away}", "magic")
os.symlink("{away}/secret.bib", "refs.bib")
os.mkfifo("pipe.png")
os.mkfifo("pipe.csl")
listener = socket.socket(socket.AF_UNIX)
listener.bind("socket.png")
if not os.geteuid():
    os.mknod("device.png", 0o20666, os.makedev(1, 5))
with open("sparse.png", "wb") as file:
    file.truncate(1 << 40)
"""
    names = ["link.png", "linked/secret.png", "magic/secret.svg", f"../{away.name}/secret.png", f"{away}/secret.png"]
    names += ["pipe.png", "socket.png", "sparse.png", *([] if os.geteuid() else ["device.png"])]
    images = "\n\n".join(f"![]({name})" for name in names)
    front = "---\nbibliography: [refs.bib, linked/secret.bib]\ncsl: pipe.csl\n---\n"
    rendered = run(f"{front}\n```{{python}}\n{cell}```\n\n{images}\n\n[@one]\n", "html", "docx")
    assert rendered.status == "success"
    assert {found.code for found in rendered.problems} == {"image-missing"}
    assert len(rendered.problems) == len(names)
    assert any("it has more than 50 MB" in found.message for found in rendered.problems)
    assert SECRET not in told(rendered, tmp_path)


@pytest.mark.network
@pytest.mark.parametrize("planted", ["link", "dangling", "pipe"])
def test_what_a_cell_planted_at_the_output_is_replaced(run: Render, tmp_path: Path, away: Path, planted: str) -> None:
    plant = {
        "link": f"os.symlink('{away}/secret', 'paper.html')",
        "dangling": f"os.symlink('{away}/new', 'paper.html')",
        "pipe": "os.mkfifo('paper.html')",
    }
    rendered = run(f"```{{python}}\nimport os\n{plant[planted]}\n```\n", "html")
    assert (rendered.status, rendered.outputs) == ("success", (tmp_path / "paper.html",))
    assert not (tmp_path / "paper.html").is_symlink()
    assert "<html" in (tmp_path / "paper.html").read_text()
    assert (away / "secret").read_text() == SECRET
    assert not (away / "new").exists()


@pytest.mark.network
def test_a_directory_at_the_output_is_a_problem_and_leaves_nothing_half_done(run: Render, tmp_path: Path) -> None:
    rendered = run("```{python}\nimport os\nos.makedirs('paper.html/kept')\n```\n", "html")
    assert [found.code for found in rendered.problems] == ["output-unwritable"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper.html", "paper.qmd"]


@pytest.mark.network
def test_the_documents_directory_turned_into_a_link_takes_no_output(run: Render, tmp_path: Path, away: Path) -> None:
    (tmp_path / "sub").mkdir()
    cell = f"import os\nos.rename('../sub', '../moved')\nos.symlink('{away}', '../sub')"
    rendered = run(f"```{{python}}\n{cell}\n```\n", "html", name="sub/paper.qmd")
    assert [found.code for found in rendered.problems] == ["output-unwritable"]
    assert "not a directory" in rendered.problems[0].message
    assert not (away / "paper.html").exists()


@pytest.mark.network
def test_an_output_directory_that_a_cell_made_a_link_takes_no_output(run: Render, tmp_path: Path, away: Path) -> None:
    rendered = run(
        f"```{{python}}\nimport os\nos.symlink('{away}', 'out')\n```\n", "html", output_dir=tmp_path / "out" / "in"
    )
    assert [found.code for found in rendered.problems] == ["output-unwritable"]
    assert not (away / "in").exists()


@pytest.mark.network
@pytest.mark.parametrize("name", ["plotly.js", "result.json"])
@pytest.mark.parametrize("planted", ["link", "pipe", "sparse"])
def test_what_a_cell_planted_in_the_private_directory_is_not_read(
    run: Render, tmp_path: Path, away: Path, name: str, planted: str
) -> None:
    plant = {
        "link": f"os.symlink('{away}/secret', path)",
        "pipe": "os.mkfifo(path)",
        "sparse": "open(path, 'wb').truncate(1 << 40)",
    }
    cell = (
        "import os\npath = os.path.join(os.environ['HOME'], '..', '" + name + "')\n"
        "os.path.lexists(path) and os.unlink(path)\n" + plant[planted]
    )
    rendered = run(f"```{{python}}\n{cell}\n```\n", "html")
    assert rendered.status == "failure"
    assert {found.code for found in rendered.problems} <= {"render-failed", "kernel-died", "cell-error"}
    assert SECRET not in told(rendered, tmp_path)


@pytest.mark.network
def test_a_deep_tree_and_closed_directories_in_the_private_home_go_with_it(
    run: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(homes))
    cell = """
import os
at = os.open(os.environ["HOME"], os.O_RDONLY)
os.mkdir("closed", dir_fd=at)
os.chmod("closed", 0, dir_fd=at)
for _ in range(2000):
    os.mkdir("d", dir_fd=at)
    at, old = os.open("d", os.O_RDONLY, dir_fd=at), at
    os.close(old)
"""
    rendered = run(f"```{{python}}\n{cell}```\n", "html")
    assert rendered.status == "success"
    assert list(homes.iterdir()) == []
