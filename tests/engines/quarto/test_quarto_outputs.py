"""Outputs are found, kept inside the project, moved and thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from recto.engines.quarto.outputs import Beside, created, deliver, throw_away
from recto.problems import EngineError


def write(path: Path, text: str = "x") -> Path:
    """A file with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(output: str, document: Path, project: Path, directory: Path | None = None) -> tuple[str, str]:
    """The code of the problem with an output, and its reason."""
    with pytest.raises(EngineError) as refused:
        deliver(output, document, project, directory)
    (found,) = refused.value.problems
    return found.code, found.message.split(": ", 1)[1].rstrip(".")


def test_the_output_is_the_one_named_last(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a b.qmd"), write(tmp_path / "_site" / "a b.html")
    log = "Output created: other.html\nWords\nOutput created: _site/a b.html\n\n"

    assert created(log, document, tmp_path) == "_site/a b.html"
    assert page.is_file()


@pytest.mark.parametrize("name", ["../outside.html", "/etc/hostname", ".", "a\0b"])
def test_what_is_outside_is_no_output(tmp_path: Path, name: str) -> None:
    write(tmp_path / "outside.html")

    document = write(tmp_path / "project" / "a.qmd")
    assert created(f"Output created: {name}\n", document, tmp_path / "project") is None
    assert created("", document, tmp_path / "project") is None


def test_a_link_is_no_output_even_inside_the_project(tmp_path: Path) -> None:
    document = write(tmp_path / "a.qmd")
    (tmp_path / "a.html").symlink_to(document)

    assert refusal("a.html", document, tmp_path) == ("output-unreadable", "it is a link, or lies behind one")


def test_a_directory_that_leads_outside_is_not_taken(tmp_path: Path) -> None:
    document = write(tmp_path / "project" / "a.qmd")
    write(tmp_path / "elsewhere" / "a.html")
    (tmp_path / "project" / "out").symlink_to(tmp_path / "elsewhere")

    code, reason = refusal("out/a.html", document, tmp_path / "project")
    assert (code, reason) == ("output-unreadable", "it is a link, or lies behind one")


def test_links_among_support_files_are_not_delivered(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a.qmd"), write(tmp_path / "a.html")
    figure = write(tmp_path / "a_files" / "figure.png")
    (tmp_path / "a_files" / "passwd").symlink_to("/etc/passwd")

    delivered = deliver("a.html", document, tmp_path, None)
    assert delivered.files == (page, figure)
    assert [found.message for found in delivered.problems] == [
        "`a_files/passwd` was not delivered with the output: it is no plain file of its own."
    ]


def test_a_page_of_a_website_is_moved_and_the_shared_libraries_are_copied(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a.qmd"), write(tmp_path / "_site" / "a.html")
    shared = write(tmp_path / "_site" / "site_libs" / "quarto.js")
    out = tmp_path / "out"

    assert deliver("_site/a.html", document, tmp_path, out).files == (out / "a.html",)
    assert ((out / "site_libs" / "quarto.js").is_file(), shared.is_file(), page.exists()) == (True, True, False)


def test_delivering_to_where_the_output_lies_moves_nothing(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a.qmd"), write(tmp_path / "a.html")

    assert deliver("a.html", document, tmp_path, tmp_path).files == (page,)
    assert page.is_file()


def test_throwing_away_takes_the_support_files_and_leaves_what_a_link_points_at(tmp_path: Path) -> None:
    page, kept = write(tmp_path / "a.html"), write(tmp_path / "kept" / "file")
    (tmp_path / "a_files").symlink_to(tmp_path / "kept")

    throw_away(page.name, tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"kept"}
    assert kept.is_file()


def test_only_the_documents_own_transient_notebooks_are_cleared(tmp_path: Path) -> None:
    document = write(tmp_path / "a.qmd")
    beside = Beside.look(document, tmp_path)
    for name in ("a.quarto_ipynb", "a_1.quarto_ipynb", "a.quarto_ipynb_2", "ab.quarto_ipynb", "a.ipynb"):
        write(tmp_path / name)

    beside.clear_transient()

    assert {path.name for path in tmp_path.iterdir()} == {"a.qmd", "ab.quarto_ipynb", "a.ipynb"}


def test_only_new_outputs_of_the_document_are_cleared(tmp_path: Path) -> None:
    document = write(tmp_path / "a.qmd")
    write(tmp_path / "a.pdf")
    beside = Beside.look(document, tmp_path)
    for name in ("a.html", "a.csv", "b.html", "a_files/figure.png"):
        write(tmp_path / name)

    beside.clear_new()

    assert {path.name for path in tmp_path.iterdir()} == {"a.qmd", "a.pdf", "a.csv", "b.html"}
