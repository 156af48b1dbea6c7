"""What is read of a document before Quarto runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from quarto_jobs import notebook

from recto.engines.quarto.source import Cell, Document, read_document


def document(directory: Path, text: str, name: str = "paper.qmd") -> Document:
    """What is read of a document with this text."""
    (directory / name).write_text(text)
    return read_document(directory / name, directory)


def test_cells_are_numbered_and_know_their_first_line(tmp_path: Path) -> None:
    text = "# Title\n\n```{python}\na = 1\n\nb = 2\n```\n\n````{python}\n#| label: x\nc\n````\n"

    file = tmp_path / "paper.qmd"

    assert document(tmp_path, text).cells == (Cell(1, "a = 1\n\nb = 2", file, 4), Cell(2, "#| label: x\nc", file, 10))


@pytest.mark.parametrize(
    "text",
    [
        "```python\nshown()\n```\n",
        "```{{python}}\nshown()\n```\n",
        "```{r}\nshown()\n```\n",
        "~~~{python}\nshown()\n~~~\n",
        "````markdown\n```{python}\nshown()\n```\n````\n",
        "```{python}\nnever ends\n",
        "Inline `{python} 1 + 1` alone starts no engine.\n",
    ],
)
def test_code_that_is_only_shown_is_no_cell(tmp_path: Path, text: str) -> None:
    assert document(tmp_path, text) == Document(())


def test_a_cell_executes_unless_the_document_or_the_project_forbids_it(tmp_path: Path) -> None:
    cell = "```{python}\n1\n```\n"

    assert document(tmp_path, cell).executes
    assert not document(tmp_path, f"---\nexecute:\n  enabled: false\n---\n{cell}").executes
    assert not document(tmp_path, cell, "plain.md").executes
    (tmp_path / "_quarto.yml").write_text("execute: {enabled: false}\n")
    assert not document(tmp_path, cell).executes


@pytest.mark.parametrize(
    ("front", "formats"),
    [
        ("format: pdf", ("pdf",)),
        ("format:\n  html: default\n  acm-pdf:\n    toc: true", ("html", "acm-pdf")),
        ("format: 7", ()),
        ("title: none named", ()),
        ("format: [", ()),
    ],
)
def test_formats_are_those_of_the_front_matter(tmp_path: Path, front: str, formats: tuple[str, ...]) -> None:
    assert document(tmp_path, f"---\n{front}\n---\nWords.\n").formats == formats


def test_the_formats_of_the_project_count_where_the_document_names_none(tmp_path: Path) -> None:
    (tmp_path / "_quarto.yml").write_text("format:\n  typst: default\n")

    assert document(tmp_path, "Words.\n").formats == ("typst",)
    assert document(tmp_path, "---\nformat: docx\n---\nWords.\n").formats == ("docx",)


def test_the_cells_of_included_files_are_cells_of_the_document(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "_one.qmd").write_text("```{python}\none\n```\n{{< include /_two.qmd >}}\n")
    (tmp_path / "_two.qmd").write_text("\n```{python}\ntwo\n```\n")

    found = document(tmp_path, "{{< include part/_one.qmd >}}\n\n```{python}\nthree\n```\n")

    assert found.executes
    assert found.cells == (
        Cell(1, "one", tmp_path / "part" / "_one.qmd", 2),
        Cell(2, "two", tmp_path / "_two.qmd", 3),
        Cell(3, "three", tmp_path / "paper.qmd", 4),
    )


def test_includes_end_at_the_project_and_in_a_circle(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside.qmd").write_text("```{python}\nsecret\n```\n")

    assert document(project, "{{< include ../outside.qmd >}}\n{{< include none.qmd >}}\n") == Document(())
    assert len(document(project, "```{python}\n1\n```\n{{< include paper.qmd >}}\n").cells) == 9


def test_the_code_cells_of_a_python_notebook_are_its_cells(tmp_path: Path) -> None:
    file = tmp_path / "book.ipynb"
    found = document(tmp_path, notebook("a = 1", "b"), "book.ipynb")

    assert (found.cells, found.executes) == ((Cell(1, "a = 1", file), Cell(2, "b", file)), True)


@pytest.mark.parametrize("text", ["not json", "[1]", '{"cells": 3}', '{"cells": [7]}', "[" * 100_000])
def test_a_notebook_that_cannot_be_read_has_no_cells(tmp_path: Path, text: str) -> None:
    assert document(tmp_path, text, "book.ipynb") == Document(())


def test_a_notebook_of_another_language_runs_no_python(tmp_path: Path) -> None:
    text = notebook("x <- 1").replace('"language": "python"', '"language": "R"')

    assert document(tmp_path, text, "book.ipynb") == Document(())


def test_a_notebook_may_forbid_execution_in_its_first_cell(tmp_path: Path) -> None:
    front = "---\\nexecute:\\n  enabled: false\\n---"
    text = (
        notebook("front", "1").replace('"cell_type": "code"', '"cell_type": "raw"', 1).replace('"front"', f'"{front}"')
    )

    assert not document(tmp_path, text, "book.ipynb").executes
