"""Documents that really cannot be made: pandoc with a filter and a PDF engine, interpreters without Jupyter."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pypandoc
import pytest
from failing import first, said

from recto.problems.diagnosis import diagnose

pytest_plugins = ("failing_fixtures",)

PANDOC = Path(pypandoc.get_pandoc_path())


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "paper.md"
    path.write_text("Words.\n")
    return path


@pytest.mark.makes("quarto-filter-error")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("function Str(s)\n  return s.nothing.text\nend\n", "broken.lua:2: attempt to index a nil value"),
        ("function Str(s)\n  error('no words today')\nend\n", "broken.lua:2: no words today"),
        ("function Str(s\n", "broken.lua:"),
    ],
)
def test_a_filter_that_fails(paper: Path, text: str, reason: str) -> None:
    (paper.parent / "broken.lua").write_text(text)
    problem = diagnose(said(PANDOC, "-L", "broken.lua", paper, "-o", "paper.html", cwd=paper.parent))[0]
    assert problem.code == "quarto-filter-error"
    assert problem.message.startswith(f"A filter stopped the render: {reason}")


@pytest.mark.makes("pdf-engine-missing")
@pytest.mark.parametrize("engine", ["xelatex", "typst"])
def test_a_machine_without_a_pdf_engine(paper: Path, empty: str, engine: str) -> None:
    made = (PANDOC, paper, "-o", "paper.pdf", "--pdf-engine", engine)
    problem = diagnose(said(*made, cwd=paper.parent, PATH=empty))[0]
    assert (problem.code, problem.package) == ("pdf-engine-missing", engine)
    assert problem.message == f"Nothing here can make a PDF: `{engine}` is not installed."


@pytest.mark.makes("jupyter-missing")
def test_an_interpreter_and_a_shell_without_jupyter(bare_python: Path, tmp_path: Path, empty: str) -> None:
    texts = (
        said(bare_python, "-m", "jupyter", "nbconvert", "paper.ipynb", cwd=tmp_path),
        said(bare_python, "-m", "ipykernel_launcher", "-f", "x.json", cwd=tmp_path),
        said(bare_python, "-c", "import nbclient", cwd=tmp_path),
        said("/bin/bash", "-c", "jupyter nbconvert paper.ipynb", cwd=tmp_path, PATH=empty),
        said("/bin/sh", "-c", "jupyter nbconvert paper.ipynb", cwd=tmp_path, PATH=empty),
    )
    assert [first(text)[0] for text in texts] == ["jupyter-missing"] * 5


@pytest.mark.makes("abi-mismatch")
def test_an_extension_for_another_python(bare_python: Path, tmp_path: Path) -> None:
    (site,) = bare_python.parents[1].glob("lib/python*/site-packages")
    (tmp_path / "old.c").write_text(
        "int PyObject_GoneForLong(void);\nint PyInit_old(void) { return PyObject_GoneForLong(); }\n"
    )
    module = site / "spam" / f"old{sysconfig.get_config_var('EXT_SUFFIX')}"
    module.parent.mkdir()
    # Without the C library, whose development files a compiler does not bring.
    assert said("gcc", "-shared", "-fPIC", "-nostdlib", "old.c", "-o", module, cwd=tmp_path) == ""
    assert first(said(bare_python, "-c", "import spam.old", cwd=tmp_path)) == ("abi-mismatch", "spam")


@pytest.mark.makes("cause-unknown")
def test_a_tool_that_nobody_knows(tmp_path: Path) -> None:
    text = said(sys.executable, "-c", "raise SystemExit('the tide is out')", cwd=tmp_path)
    (problem,) = diagnose(text)
    assert (problem.code, problem.excerpt) == ("cause-unknown", "the tide is out")
