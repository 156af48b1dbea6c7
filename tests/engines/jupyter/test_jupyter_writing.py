"""Pages, Word documents and PDFs of documents that run nothing."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from recto.engines.base import Job, Rendered
from recto.engines.jupyter import JupyterEngine
from recto.progress import Event, silent
from recto.sandbox.none import NoSandbox

pytest_plugins = ("jupyter_fixtures",)

Render = Callable[..., Rendered]

# One blue pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPj/HwADBwIAMCbHYQAAAABJRU5ErkJggg=="
)

PAPER = """---
title: "A *paper*"
subtitle: Written twice
author:
  - name: Ann Author
  - name: {given: Bo, family: Writer}
date: 2026-11-01
bibliography: refs.bib
format:
  html:
    toc: true
---

# Method {#sec-method}

Known [@knuth]. See @sec-method, @fig-dot, @tbl-ab and @fig-none.

![A dot.](dot.png){#fig-dot}

| a | b |
|---|---|
| 1 | 2 |

: Letters. {#tbl-ab}

Mass $E = mc^2$.
"""


@pytest.fixture
def paper(tmp_path: Path) -> str:
    (tmp_path / "dot.png").write_bytes(PIXEL)
    (tmp_path / "refs.bib").write_text("@book{knuth, author={Knuth, Donald}, title={Art}, year={1968}}")
    return PAPER


def codes(rendered: Rendered) -> list[str]:
    return [problem.code for problem in rendered.problems]


def words(pdf: Path) -> str:
    """The text of a PDF, blanks and line ends made one."""
    return " ".join(pages(pdf)).strip()


def pages(pdf: Path) -> list[str]:
    """The text of each page."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    found = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True)
    return [" ".join(page.split()) for page in [*found.stdout.split("\f"), ""]]


def test_a_page_holds_everything_and_refers_to_nothing_outside(render: Render, tmp_path: Path, paper: str) -> None:
    rendered = render(paper)
    html = (tmp_path / "paper.html").read_text()
    assert (rendered.status, rendered.outputs, rendered.prefix) == ("success", (tmp_path / "paper.html",), None)
    assert f'src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}' in html
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)[^"']*""", html) == []
    assert "<math" in html
    assert '<nav id="TOC">' in html
    assert "A <em>paper</em></h1>" in html
    byline = "<span>Ann Author</span><span>Bo Writer</span><span>2026-11-01</span>"
    assert byline in " ".join(html.split())


def test_references_become_links_with_numbers(render: Render, tmp_path: Path, paper: str) -> None:
    assert render(paper).status == "success"
    html = " ".join((tmp_path / "paper.html").read_text().replace("\u00a0", " ").split())
    for link in ('href="#sec-method"', 'href="#fig-dot"', 'href="#tbl-ab"'):
        assert link in html
    assert "Figure 1: A dot." in html
    assert "Table 1: Letters." in html
    assert "(Knuth 1968)" in html
    assert "<strong>?@fig-none</strong>" in html


def test_equations_with_labels_have_numbers_and_are_referred_to(render: Render, tmp_path: Path) -> None:
    text = "$$ x^2 $$ {#eq-one}\n\n$$\ny\n$$ {#eq-two}\n\n$$ z $$\n\nBy @eq-two, [@eq-one; @eq-three].\n"
    assert render(text, "html", "docx", "pdf").status == "success"
    html = " ".join((tmp_path / "paper.html").read_text().replace("\u00a0", " ").split())
    assert '<a href="#eq-two" class="reference">Equation 2</a>' in html
    assert '<a href="#eq-one" class="reference">Equation 1</a>, <strong>?@eq-three</strong>' in html
    assert (html.count('<span id="eq-'), html.count("{#eq-")) == (2, 0)
    assert "By Equation 2, Equation 1, ?@eq-three." in words(tmp_path / "paper.pdf").replace("\u00a0", " ")


def test_a_name_after_an_at_sign_is_text_where_there_is_no_bibliography(render: Render, tmp_path: Path) -> None:
    text = '---\ntitle: "Of @ann"\n---\nThanks to @bob and [see @cy, p. 3].\n'
    assert render(text, "html", "pdf").status == "success"
    said = words(tmp_path / "paper.pdf")
    assert "Of @ann" in said
    assert "Thanks to @bob and [see @cy, p. 3]." in said


def test_a_word_document_holds_the_image_and_the_table(render: Render, tmp_path: Path, paper: str) -> None:
    assert render(paper, "docx").outputs == (tmp_path / "paper.docx",)
    with zipfile.ZipFile(tmp_path / "paper.docx") as archive:
        media = [name for name in archive.namelist() if name.startswith("word/media/")]
        assert [archive.read(name) for name in media] == [PIXEL]
        assert archive.read("word/document.xml").count(b"<w:tbl>") == 1


def test_a_pdf_has_the_text_and_one_page(render: Render, tmp_path: Path, paper: str) -> None:
    assert render(paper, "pdf").outputs == (tmp_path / "paper.pdf",)
    data = (tmp_path / "paper.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1
    text = words(tmp_path / "paper.pdf")
    for part in ("A paper", "Ann Author", "Figure 1: A dot.", "Table 1: Letters.", "(Knuth 1968)"):
        assert part in text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    "setting", ["papersize: letter", "papersize: a4paper", "papersize: b5", "fontsize: 12", "lang: pt-BR", "lang: de"]
)
def test_settings_in_the_words_of_others_make_a_pdf(render: Render, setting: str) -> None:
    rendered = render(f"---\ntitle: A\n{setting}\n---\nText\n", "pdf")
    assert (rendered.status, rendered.problems) == ("success", ())


def test_a_caption_stays_with_its_table(render: Render, tmp_path: Path) -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n\n: Letters. {#tbl-ab}\n"
    # Enough lines that the caption would fit on the first page and the table would not: every start is tried.
    for lines in range(44, 50):
        assert render("Line.\\\n" * lines + f"End.\n\n{table}", "pdf").status == "success"
        first, second = pages(tmp_path / "paper.pdf")[:2]
        assert ("Table 1" in first) == ("a b" in first), lines
        assert "Table 1" in first + second


def test_a_line_without_blanks_stays_on_the_page(render: Render, tmp_path: Path) -> None:
    assert render(f"```\n{'w' * 400}\n```\n", "pdf").status == "success"
    assert len(max(words(tmp_path / "paper.pdf").split(), key=len)) < 120


def test_several_formats_are_written_in_the_order_asked(render: Render, tmp_path: Path, events: list[Event]) -> None:
    rendered = render("Text\n", "typst", "html", "word", "pdf")
    assert [path.name for path in rendered.outputs] == ["paper.pdf", "paper.html", "paper.docx"]
    assert [(event.done, event.total) for event in events] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert set(rendered.timings_ms) == {"execute", "write"}
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".docx", ".html", ".pdf", ".qmd"]


@pytest.mark.parametrize(
    ("front", "names"),
    [
        ("title: A", ["paper.html"]),
        ("format: docx", ["paper.docx"]),
        ("format:\n  docx: default\n  html: default", ["paper.docx", "paper.html"]),
        ("format: [html, docx]", ["paper.html", "paper.docx"]),
    ],
)
def test_the_document_says_its_formats(render: Render, front: str, names: list[str]) -> None:
    assert [path.name for path in render(f"---\n{front}\n---\n\nText\n").outputs] == names


def test_a_format_that_nobody_writes_is_refused_with_those_that_are(render: Render) -> None:
    (problem,) = render("Text\n", "epub").problems
    assert (problem.code, problem.hint) == ("format-unknown", "Choose one of: html, docx, pdf.")


def test_a_foreign_format_of_the_document_is_a_warning_beside_one_that_works(render: Render) -> None:
    rendered = render("---\nformat:\n  revealjs: default\n  html: default\n---\nText\n")
    assert (rendered.status, [p.level for p in rendered.problems], len(rendered.outputs)) == ("success", ["warning"], 1)
    assert codes(render("---\nformat: revealjs\n---\nText\n")) == ["format-unknown"]


def test_outputs_go_to_the_directory_asked_for(engine: JupyterEngine, tmp_path: Path) -> None:
    document = tmp_path / "paper.md"
    document.write_text("Text\n")
    job = Job(document, tmp_path, Path(sys.executable), Path(sys.prefix), output_dir=tmp_path / "a" / "b")
    assert engine.render(job, silent).outputs == (tmp_path / "a" / "b" / "paper.html",)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "paper.md"]


@pytest.mark.makes("render-failed")
def test_a_failing_format_leaves_the_earlier_output_of_all(render: Render, tmp_path: Path) -> None:
    assert render("First\n", "html", "pdf").status == "success"
    before = {path.name: path.read_bytes() for path in tmp_path.glob("paper.[hp]*")}
    rendered = render("Second\n\n```{=typst}\n#no-such-function()\n```\n", "html", "pdf")
    assert (rendered.status, codes(rendered)) == ("failure", ["render-failed"])
    assert "no-such-function" in rendered.problems[0].message
    assert {path.name: path.read_bytes() for path in tmp_path.glob("paper.[hp]*")} == before
    assert not list(tmp_path.glob(".recto-*"))


@pytest.mark.makes("image-remote")
def test_nothing_is_loaded_from_elsewhere(render: Render, tmp_path: Path) -> None:
    text = "One\n\n![Map](http://127.0.0.1:9/map.png)\n"
    assert codes(render(text)) == []
    assert 'src="http://127.0.0.1:9/map.png"' in (tmp_path / "paper.html").read_text()
    rendered = render(text, "pdf")
    (problem,) = rendered.problems
    assert (rendered.status, problem.code, problem.level) == ("success", "image-remote", "warning")
    assert str(problem.source) == "paper.qmd:3"


@pytest.mark.makes("image-missing")
@pytest.mark.parametrize("address", ["none.png", "../secret.png", "link.png", "notes.txt", "pipe.png"])
def test_an_image_that_is_not_the_projects_is_left_out_with_a_warning(
    engine: JupyterEngine, tmp_path: Path, address: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.png").write_bytes(PIXEL)
    (project / "link.png").symlink_to(tmp_path / "secret.png")
    (project / "notes.txt").write_text("text")
    os.mkfifo(project / "pipe.png")
    document = project / "paper.qmd"
    document.write_text(f"![Said]({address})\n")
    rendered = engine.render(Job(document, project, Path(sys.executable), Path(sys.prefix)), silent)
    assert (rendered.status, codes(rendered)) == ("success", ["image-missing"])
    html = (project / "paper.html").read_text()
    assert "Said" in html
    assert base64.b64encode(PIXEL).decode() not in html


def test_a_document_that_lies_outside_of_its_project_is_not_there(engine: JupyterEngine, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "other.qmd").write_text("secret")
    (project / "paper.qmd").symlink_to(tmp_path / "other.qmd")
    job = Job(project / "paper.qmd", project, Path(sys.executable), Path(sys.prefix))
    assert codes(engine.render(job, silent)) == ["document-missing"]


@pytest.mark.makes("notebook-invalid", "document-unknown-type", "document-invalid")
@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("paper.txt", b"x", "document-unknown-type"),
        ("paper.qmd", b"a\nb\xff", "document-invalid"),
        ("paper.ipynb", b"{", "notebook-invalid"),
        ("paper.qmd", b"---\na: [\n---\n", "document-invalid"),
    ],
)
def test_what_cannot_be_read_is_told(render: Render, name: str, data: bytes, code: str) -> None:
    rendered = render(data, name=name)
    assert (rendered.status, codes(rendered)) == ("failure", [code])


def test_lists_without_end_are_a_problem_and_not_a_crash(render: Render) -> None:
    rendered = render(f"{'> ' * 3000}x\n")
    assert rendered.status == "failure"
    assert codes(rendered) == ["render-failed"]


@pytest.mark.parametrize("word", ["today", "last-modified"])
def test_a_date_may_be_a_word(render: Render, tmp_path: Path, word: str) -> None:
    assert render(f"---\ntitle: A\ndate: {word}\n---\nText\n").status == "success"
    assert re.search(r'<p class="byline"><span>\d{4}-\d\d-\d\d</span></p>', (tmp_path / "paper.html").read_text())


def test_callouts_have_titles_that_are_no_headings(render: Render, tmp_path: Path) -> None:
    text = "::: {.callout-tip}\n## Try it\nBody one.\n:::\n\n::: {.callout-warning}\nBody two.\n:::\n"
    assert render(text, "html", "pdf").status == "success"
    html = " ".join((tmp_path / "paper.html").read_text().replace("\u00a0", " ").split())
    assert '<div class="callout-tip"> <p><strong>Try it</strong></p> <p>Body one.</p> </div>' in html
    assert '<div class="callout-warning"> <p><strong>Warning</strong></p> <p>Body two.</p> </div>' in html
    assert "Try it Body one. Warning Body two." in words(tmp_path / "paper.pdf")


def test_an_engine_without_pandoc_says_so(engine: JupyterEngine, tmp_path: Path) -> None:
    assert engine.unavailable() is None
    problem = JupyterEngine(NoSandbox(), tmp_path / "pandoc", Path(sys.executable)).unavailable()
    assert problem is not None
    assert problem.code == "engine-missing"


def test_a_directory_that_cannot_be_written_is_named(engine: JupyterEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    document = tmp_path / "paper.qmd"
    document.write_text("Text\n")
    job = Job(document, tmp_path, Path(sys.executable), Path(sys.prefix), output_dir=tmp_path / "file" / "out")
    (problem,) = engine.render(job, silent).problems
    assert problem.code == "output-unwritable"
    assert "not a directory" in problem.message or "file exists" in problem.message
