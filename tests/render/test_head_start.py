"""A head start over a real kernel: when one is begun, when it is used, and that nothing is decided by it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import psutil
import pytest

from fakes import CountingSandbox
from recto.app import App
from recto.engines.jupyter.workplace import RUNNER
from recto.interpreters import Base
from recto.render import RenderRequest, Report
from recto.settings import child_environment, load

CELL = "```{python}\nprint('one', 'cell')\n```\n"


class CountingApp(App):
    """The application, with the commands that it runs."""

    @cached_property
    def sandbox(self) -> CountingSandbox:
        return CountingSandbox()

    @property
    def runners(self) -> int:
        """How many runners were started."""
        return sum(str(RUNNER) in command.argv for command in self.sandbox.commands)


Rendered = tuple[Report, int]
Rendering = Callable[..., Rendered]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A document whose directory is its project."""
    path = tmp_path / "above" / "project" / "paper.qmd"
    path.parent.mkdir(parents=True)
    path.write_text(CELL)
    return path


@pytest.fixture
def render(tmp_path: Path, document: Path, kernel_base: Base, monkeypatch: pytest.MonkeyPatch) -> Rendering:
    """Renders the document as a new process would; the report, and how many runners were started for it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RECTO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RECTO_BASE", str(kernel_base.python))

    def call(engine: str = "jupyter") -> Rendered:
        app = CountingApp(load(child_environment()))
        with app.head_start(document) as ahead:
            request = RenderRequest(document, engine=engine, grant=app.grant)  # type: ignore[arg-type]
            report = app.renders.render(request)
            ahead.keep(report)
        assert not psutil.Process().children(recursive=True)
        return report, app.runners

    return call


def was_ahead(report: Report) -> bool:
    assert "kernel" in report.timings_ms
    return "kernel_age" in report.timings_ms


def page(document: Path) -> str:
    return document.with_suffix(".html").read_text()


def test_the_next_render_begins_with_its_kernel(render: Rendering, document: Path) -> None:
    report, runners = render()
    assert (report.status, runners, was_ahead(report)) == ("success", 1, False)
    first = page(document)
    report, runners = render()
    assert (report.status, runners, was_ahead(report)) == ("success", 1, True)
    assert page(document) == first


def test_what_was_edited_is_rendered_as_it_is_now(render: Rendering, document: Path) -> None:
    render()
    document.write_text(CELL.replace("one", "another"))
    report, runners = render()
    assert (runners, was_ahead(report)) == (1, True)
    assert "another cell" in page(document)


def test_a_document_whose_cell_fails_has_one_the_next_time(render: Rendering, document: Path) -> None:
    document.write_text(CELL + "\n```{python}\n1 / 0\n```\n")
    report, _ = render()
    assert report.status == "failure"
    again, runners = render()
    assert (again.problems, runners, was_ahead(again)) == (report.problems, 1, True)
    document.write_text(CELL)
    assert render()[0].status == "success"


def test_a_document_that_runs_nothing_starts_nothing(render: Rendering, document: Path) -> None:
    document.write_text("Only words.\n")
    assert [render()[1] for _ in range(2)] == [0, 0]


def test_a_document_that_lost_its_cells_starts_one_for_the_last_time(render: Rendering, document: Path) -> None:
    render()
    document.write_text("Only words.\n")
    assert [render()[1] for _ in range(3)] == [1, 0, 0]
    assert "Only words" in page(document)


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "pylock.toml", "_quarto.yml"])
def test_a_file_that_makes_the_project_anew_starts_none(name: str, render: Rendering, document: Path) -> None:
    render()
    (document.parent / name).write_text("# nothing that is asked for\n" if name != "pylock.toml" else "")
    _, runners = render()
    # The one that the render itself started, where it came as far.
    assert runners <= 1
    report, _ = render()
    assert report.status == ("failure" if name == "pylock.toml" else "success")


def test_a_kernel_of_another_project_is_not_used(render: Rendering, document: Path) -> None:
    render()
    # The project of the document begins one directory higher now, which none of its own files says.
    (document.parents[1] / "requirements.txt").write_text("# nothing\n")
    report, runners = render()
    assert (report.status, runners, was_ahead(report)) == ("success", 2, False)
    report, runners = render()
    assert (report.status, runners, was_ahead(report)) == ("success", 1, True)


def test_a_directory_that_took_the_place_of_the_project_gets_no_kernel_of_it(render: Rendering, document: Path) -> None:
    render()
    document.parent.rename(document.parents[1] / "moved")
    document.parent.mkdir()
    document.write_text(CELL)
    # As the runner starts when it is asked for, it starts in the new one.
    report, runners = render()
    assert (report.status, runners) == ("success", 1)


def test_what_cells_may_see_now_is_what_they_see(
    render: Rendering, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document.write_text("```{python}\nimport os\nprint('zone', os.environ.get('TZ'))\n```\n")
    for zone in ("UTC", "Europe/Berlin"):
        monkeypatch.setenv("TZ", zone)
        report, _ = render()
        assert report.status == "success"
        assert f"zone {zone}" in page(document)


def test_another_engine_ends_the_habit(render: Rendering, document: Path) -> None:
    render()
    report, runners = render("quarto")
    # There is no Quarto here: the render ends before it has an environment, and nothing is unlearned by that.
    assert ([problem.code for problem in report.problems], runners) == (["engine-missing"], 1)
    assert was_ahead(render()[0])


def test_a_memo_that_was_cut_short_starts_none(render: Rendering, document: Path, tmp_path: Path) -> None:
    render()
    (memo,) = (tmp_path / "data" / "v1" / "cache" / "runs").iterdir()
    memo.write_bytes(memo.read_bytes()[:-1])
    report, runners = render()
    assert (report.status, runners, was_ahead(report)) == ("success", 1, False)
    assert was_ahead(render()[0])


def test_a_render_that_breaks_off_leaves_no_process(render: Rendering, document: Path) -> None:
    render()
    app = CountingApp(load(child_environment()))
    with pytest.raises(KeyboardInterrupt), app.head_start(document):
        raise KeyboardInterrupt
    assert app.runners == 1
    assert not psutil.Process().children(recursive=True)
