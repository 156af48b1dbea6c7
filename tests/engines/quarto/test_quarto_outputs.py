"""Outputs are found, kept inside the project, moved and thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from recto.engines.quarto.outputs import Beside, created, deliver, throw_away


def write(path: Path, text: str = "x") -> Path:
    """A file with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_output_is_the_one_named_last(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a b.qmd"), write(tmp_path / "_site" / "a b.html")
    log = "Output created: other.html\nWords\nOutput created: _site/a b.html\n\n"

    assert created(log, document, tmp_path) == page


@pytest.mark.parametrize("log", ["", "Output created: gone.html\n", "Output created: ../outside.html\n"])
def test_what_is_not_there_or_outside_is_no_output(tmp_path: Path, log: str) -> None:
    write(tmp_path / "outside.html")

    assert created(log, write(tmp_path / "project" / "a.qmd"), tmp_path / "project") is None


def test_a_link_is_no_output_even_inside_the_project(tmp_path: Path) -> None:
    document = write(tmp_path / "a.qmd")
    (tmp_path / "a.html").symlink_to(document)

    assert created("Output created: a.html\n", document, tmp_path) is None


def test_a_directory_that_leads_outside_is_seen_through(tmp_path: Path) -> None:
    document = write(tmp_path / "project" / "a.qmd")
    write(tmp_path / "elsewhere" / "a.html")
    (tmp_path / "project" / "out").symlink_to(tmp_path / "elsewhere")

    assert created("Output created: out/a.html\n", document, tmp_path / "project") is None


def test_links_among_support_files_are_not_delivered(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a.qmd"), write(tmp_path / "a.html")
    figure = write(tmp_path / "a_files" / "figure.png")
    (tmp_path / "a_files" / "passwd").symlink_to("/etc/passwd")

    assert deliver(page, document, None) == (page, figure)


def test_a_page_of_a_website_is_moved_and_the_shared_libraries_are_copied(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a.qmd"), write(tmp_path / "_site" / "a.html")
    shared = write(tmp_path / "_site" / "site_libs" / "quarto.js")
    out = tmp_path / "out"

    assert deliver(page, document, out) == (out / "a.html",)
    assert ((out / "site_libs" / "quarto.js").is_file(), shared.is_file(), page.exists()) == (True, True, False)


def test_delivering_to_where_the_output_lies_moves_nothing(tmp_path: Path) -> None:
    document, page = write(tmp_path / "a.qmd"), write(tmp_path / "a.html")

    assert deliver(page, document, tmp_path) == (page,)
    assert page.is_file()


def test_throwing_away_takes_the_support_files_and_leaves_what_a_link_points_at(tmp_path: Path) -> None:
    page, kept = write(tmp_path / "a.html"), write(tmp_path / "kept" / "file")
    (tmp_path / "a_files").symlink_to(tmp_path / "kept")

    throw_away(page)

    assert {path.name for path in tmp_path.iterdir()} == {"kept"}
    assert kept.is_file()


def test_only_the_documents_own_transient_notebooks_are_cleared(tmp_path: Path) -> None:
    document = write(tmp_path / "a.qmd")
    beside = Beside.look(document)
    for name in ("a.quarto_ipynb", "a_1.quarto_ipynb", "a.quarto_ipynb_2", "ab.quarto_ipynb", "a.ipynb"):
        write(tmp_path / name)

    beside.clear_transient()

    assert {path.name for path in tmp_path.iterdir()} == {"a.qmd", "ab.quarto_ipynb", "a.ipynb"}


def test_only_new_outputs_of_the_document_are_cleared(tmp_path: Path) -> None:
    document = write(tmp_path / "a.qmd")
    write(tmp_path / "a.pdf")
    beside = Beside.look(document)
    for name in ("a.html", "a.csv", "b.html", "a_files/figure.png"):
        write(tmp_path / name)

    beside.clear_new()

    assert {path.name for path in tmp_path.iterdir()} == {"a.qmd", "a.pdf", "a.csv", "b.html"}
