"""QuartoEngine with a stand-in for Quarto, real interpreters and real kernels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quarto_jobs import HELLO, codes, job, notebook

from recto.engines.quarto import QuartoEngine
from recto.progress import Event, silent
from recto.sandbox.none import NoSandbox

pytest_plugins = ("quarto_fixtures",)
pytestmark = pytest.mark.network


def names(directory: Path) -> set[str]:
    """What lies in a directory."""
    return {path.name for path in directory.iterdir()}


def test_cells_run_in_the_environment_and_the_page_lies_beside_the_document(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix), silent)

    assert (rendered.status, rendered.problems, rendered.prefix) == ("success", (), kernel_prefix)
    assert rendered.outputs == (project / "paper.html", project / "paper_files" / "libs" / "quarto.js")
    assert f"hello 42\n\n{kernel_prefix}" in (project / "paper.html").read_text()
    assert names(project) == {"paper.qmd", "paper.html", "paper_files"}
    assert list(rendered.timings_ms) == ["render"]


def test_each_cell_is_reported_as_it_ends(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    events: list[Event] = []

    QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix), events.append)

    assert events == [
        Event("rendering", "", 0, 1, "files"),
        Event("executing", "", 1, 2, "cells"),
        Event("executing", "", 2, 2, "cells"),
    ]


def test_outputs_are_moved_to_the_output_directory(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "here"

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, output_dir=out), silent)

    assert rendered.outputs == (out / "paper.html", out / "paper_files" / "libs" / "quarto.js")
    assert all(path.is_file() for path in rendered.outputs)
    assert names(project) == {"paper.qmd"}


def test_a_second_render_replaces_what_the_first_moved(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    engine, out = QuartoEngine(quarto, NoSandbox()), tmp_path / "out"
    engine.render(job(project, kernel_prefix, output_dir=out), silent)

    engine.render(job(project, kernel_prefix, '```{python}\nprint("again")\n```\n', output_dir=out), silent)

    assert (out / "paper.html").read_text() == "<pre>again\n</pre>\n"
    assert names(out) == {"paper.html", "paper_files"}


def test_every_format_asked_for_is_rendered(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, formats=("html", "docx")), silent)

    assert rendered.status == "success"
    assert [path.name for path in rendered.outputs] == ["paper.html", "quarto.js", "paper.docx"]
    assert list(rendered.timings_ms) == ["render_html", "render_docx"]


def test_the_formats_of_the_document_are_rendered_when_none_is_asked_for(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    text = HELLO.replace("title: Hello", "format:\n  docx: default\n  typst: default")

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert [path.name for path in rendered.outputs] == ["paper.docx", "paper.pdf"]


def test_what_was_rendered_before_a_failing_format_is_kept(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    asked = job(project, kernel_prefix, formats=("docx", "nonsense", "html"))

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, silent)

    assert (rendered.status, codes(rendered)) == ("failure", ["format-unknown"])
    assert rendered.outputs == (project / "paper.docx",)


@pytest.mark.parametrize("name", ["--execute-daemon", "html,pdf", "", "a b"])
def test_a_format_that_could_be_an_option_or_a_list_is_refused_before_quarto_starts(
    quarto: Path, project: Path, bare_prefix: Path, name: str
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, bare_prefix, formats=(name,)), silent)

    assert (rendered.status, codes(rendered), rendered.log) == ("failure", ["format-unknown"], "")


def test_a_page_of_a_website_is_found_where_the_website_puts_it(
    quarto: Path, project: Path, kernel_prefix: Path, tmp_path: Path
) -> None:
    (project / "_quarto.yml").write_text("project:\n  type: website\n  output-dir: _site\n")
    asked = job(project, kernel_prefix, name="part/one.qmd")

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, silent)

    assert rendered.outputs == (project / "_site" / "part" / "one.html",)


def test_a_document_without_cells_needs_neither_a_kernel_nor_proof(
    quarto: Path, project: Path, bare_prefix: Path
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, bare_prefix, "# Only words\n"), silent)

    assert (rendered.status, rendered.prefix) == ("success", None)


def test_a_document_that_forbids_execution_needs_no_proof(quarto: Path, project: Path, bare_prefix: Path) -> None:
    text = HELLO.replace("title: Hello", "execute:\n  enabled: false")

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, bare_prefix, text), silent)

    assert rendered.status == "success"


def test_a_notebook_is_executed(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    asked = job(project, kernel_prefix, notebook("print('ran', 6 * 7)"), "book.ipynb")

    rendered = QuartoEngine(quarto, NoSandbox()).render(asked, silent)

    assert (rendered.status, rendered.prefix) == ("success", kernel_prefix)
    assert "ran 42" in (project / "book.html").read_text()


def test_a_document_whose_name_looks_like_an_option_is_a_document(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, name="--quiet.qmd"), silent)

    assert rendered.status == "success"


def test_an_environment_layered_over_another_by_a_path_file_is_the_one_that_runs(
    quarto: Path, project: Path, layered_prefix: Path
) -> None:
    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, layered_prefix), silent)

    assert (rendered.status, rendered.prefix) == ("success", layered_prefix)


def test_cells_see_the_jobs_variables_the_environment_first_on_the_path_and_a_private_home(
    quarto: Path, project: Path, kernel_prefix: Path
) -> None:
    text = "```{python}\nimport json, os\nprint(json.dumps(dict(os.environ)))\n```\n"
    given = {"COURSE": "statistics", "HOME": "/nowhere", "PYTHONSAFEPATH": "1", "PATH": "/usr/bin:/bin"}

    rendered = QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text, environment=given), silent)

    assert rendered.status == "success"
    seen = json.loads((project / "paper.html").read_text().removeprefix("<pre>").removesuffix("\n</pre>\n"))
    assert seen["COURSE"] == "statistics"
    assert seen["PATH"] == f"{kernel_prefix}/bin:/usr/bin:/bin"
    assert seen["VIRTUAL_ENV"] == str(kernel_prefix)
    assert "PYTHONSAFEPATH" not in seen
    assert not Path(seen["HOME"]).exists()


def test_the_proof_leaves_no_name_in_the_cells(quarto: Path, project: Path, kernel_prefix: Path) -> None:
    text = "```{python}\nprint(sorted(n for n in globals() if n in ('os', 'sys', 'json', 'tell')))\n```\n"

    QuartoEngine(quarto, NoSandbox()).render(job(project, kernel_prefix, text), silent)

    assert (project / "paper.html").read_text() == "<pre>[]\n</pre>\n"


def test_without_a_path_quarto_is_missing() -> None:
    missing = QuartoEngine(None, NoSandbox()).unavailable()

    assert missing is not None
    assert missing.code == "engine-missing"


def test_a_file_that_cannot_be_run_is_no_quarto(tmp_path: Path) -> None:
    plain = tmp_path / "quarto"
    absent = QuartoEngine(plain, NoSandbox()).unavailable()
    plain.write_text("")
    unusable = QuartoEngine(plain, NoSandbox()).unavailable()

    assert absent is not None
    assert unusable is not None
    assert ("there is no file" in absent.message, "cannot be run" in unusable.message) == (True, True)


def test_quarto_that_is_there_is_available(quarto: Path) -> None:
    assert QuartoEngine(quarto, NoSandbox()).unavailable() is None


def test_rendering_without_quarto_is_a_failure_with_that_problem(project: Path, bare_prefix: Path) -> None:
    rendered = QuartoEngine(None, NoSandbox()).render(job(project, bare_prefix), silent)

    assert (rendered.status, codes(rendered)) == ("failure", ["engine-missing"])


def test_a_document_that_is_absent_or_of_another_kind_is_a_problem(
    quarto: Path, project: Path, bare_prefix: Path
) -> None:
    table = job(project, bare_prefix, "a,b\n", "data.csv")
    gone = job(project, bare_prefix)
    gone.document.unlink()

    engine = QuartoEngine(quarto, NoSandbox())

    assert codes(engine.render(table, silent)) == ["document-unknown-type"]
    assert codes(engine.render(gone, silent)) == ["document-missing"]


@pytest.mark.slow
def test_the_real_quarto_renders_in_the_environment(real_quarto: Path, project: Path, kernel_prefix: Path) -> None:
    rendered = QuartoEngine(real_quarto, NoSandbox()).render(job(project, kernel_prefix, formats=("html",)), silent)

    assert (rendered.status, rendered.problems, rendered.prefix) == ("success", (), kernel_prefix)
    assert rendered.outputs[0] == project / "paper.html"
    assert "hello 42" in rendered.outputs[0].read_text()
