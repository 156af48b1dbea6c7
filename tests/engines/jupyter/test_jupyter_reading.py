"""Documents and notebooks, read."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.engines.jupyter.attachments import with_attachments
from recto.engines.jupyter.document import Cell, Document, Markdown
from recto.engines.jupyter.inline import escaped, expressions, replaced
from recto.engines.jupyter.kernel_choice import foreign_kernel
from recto.engines.jupyter.markdown_reader import read_markdown
from recto.engines.jupyter.notebook_reader import read_notebook
from recto.engines.jupyter.options import Options
from recto.problems import EngineError, Problem

pytest_plugins = ("jupyter_fixtures",)


def cell_of(document: Document) -> Cell:
    (cell,) = [block for block in document.blocks if isinstance(block, Cell)]
    return cell


def options_of(*lines: str, front: str = "") -> Options:
    head = f"---\n{front}\n---\n" if front else ""
    body = "".join(f"#| {line}\n" for line in lines)
    return cell_of(read_markdown(f"{head}```{{python}}\n{body}1\n```\n", "a.qmd")).options


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(EngineError) as caught:
        read_markdown(text, "a.qmd")
    return caught.value.problems


def codes_of(read: Callable[[], Document]) -> set[str]:
    try:
        read()
    except EngineError as error:
        return {problem.code for problem in error.problems}
    return set()


KEYS = st.sampled_from(["cells", "nbformat", "metadata", "source", "cell_type"])
VALUES = st.recursive(
    st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@given(st.text())
def test_any_text_is_a_document_or_has_problems(text: str) -> None:
    assert codes_of(lambda: read_markdown(text, "a.qmd")) <= {"document-invalid"}


@given(VALUES)
def test_any_json_is_a_notebook_or_has_problems(value: object) -> None:
    for candidate in (value, {"nbformat": 4, "cells": value}, {"nbformat": 4, "cells": [value]}):
        data = json.dumps(candidate).encode()
        assert codes_of(partial(read_notebook, data, "a.ipynb")) <= {"notebook-invalid", "document-invalid"}


@given(st.binary())
def test_any_bytes_are_a_notebook_or_have_problems(data: bytes) -> None:
    assert codes_of(lambda: read_notebook(data, "a.ipynb")) <= {"notebook-invalid", "document-invalid"}


def test_a_cell_knows_the_line_of_its_first_code_line() -> None:
    text = "---\ntitle: A\n---\n\n```{python}\n#| echo: false\n#| label: x\nx = 1\n```\n"
    cell = cell_of(read_markdown(text, "a.qmd"))
    assert (cell.code, cell.code_line, cell.number) == ("x = 1", 8, 1)


def test_windows_line_ends_leave_no_trace_in_the_code() -> None:
    cell = cell_of(read_markdown("```{python}\r\n#| echo: false\r\nx = 1\r\ny = 2\r\n```\r\n", "a.qmd"))
    assert (cell.code, cell.options.echo) == ("x = 1\ny = 2", False)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("eval: false", "evaluate", False),
        ("echo: false", "echo", False),
        ("echo: fenced", "echo", "fenced"),
        ("output: asis", "output", "asis"),
        ("output: false", "output", False),
        ("warning: false", "warning", False),
        ("error: true", "error", True),
        ("include: false", "include", False),
        ("label: fig-a", "label", "fig-a"),
        ("fig-cap: A caption", "captions", ("A caption",)),
        ("fig-cap: [One, Two]", "captions", ("One", "Two")),
        ("fig-alt: Said", "alternatives", ("Said",)),
        ("tbl-cap: A table", "table_caption", "A table"),
        ("fig-width: 4", "width_inches", 4.0),
        ("fig-height: 2.5", "height_inches", 2.5),
        ("code-fold: true", "fold", True),
        ("code-fold: show", "fold", "show"),
        ("code-summary: More", "fold_summary", "More"),
    ],
)
def test_each_option_says_one_thing(line: str, field: str, value: object) -> None:
    assert getattr(options_of(line), field) == value
    assert getattr(Options(), field) != value


@pytest.mark.parametrize(
    "front",
    ["execute:\n  echo: false", "format:\n  html:\n    echo: false", "echo: false"],
)
def test_the_front_matter_speaks_for_all_cells_and_a_cell_for_itself(front: str) -> None:
    assert options_of(front=front).echo is False
    assert options_of("echo: true", front=front).echo is True


def test_a_format_may_have_defaults_of_its_own() -> None:
    front = "echo: true\nformat:\n  html: default\n  typst:\n    echo: false"
    cell = cell_of(read_markdown(f"---\n{front}\n---\n```{{python}}\n1\n```\n", "a.qmd"))
    assert {name: chosen.echo for name, chosen in cell.shown.items()} == {"html": True, "docx": True, "pdf": False}


def test_a_wrong_default_is_named_once() -> None:
    (problem,) = problems_of("---\nexecute:\n  echo: 3\n---\n```{python}\n1\n```\n```{python}\n2\n```\n")
    assert str(problem.source) == "a.qmd:1"


def test_a_label_in_the_front_matter_is_not_every_cells_label() -> None:
    assert options_of(front="label: fig-a").label == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo: maybe", "`echo` is true, false or fenced"),
        ("eval: 3", "`eval` is either true or false"),
        ("fig-width: wide", "`fig-width` is a number of inches"),
        ("fig-width: 5000", "at most 50"),
        ("label: {a: b}", "`label` is a text"),
        ("fig-cap: 'open", "its YAML has an error"),
        ("- a", "not a list of `key: value` lines"),
        ("when: 2024-13-45", "a value that cannot be read"),
    ],
)
def test_a_wrong_option_is_named_with_its_line(line: str, words: str) -> None:
    (problem,) = problems_of(f"Text\n\n```{{python}}\n#| {line}\n1\n```\n")
    assert words in problem.message
    assert str(problem.source) == "a.qmd:3"


def test_all_problems_are_told_at_once() -> None:
    text = "---\ntitle: [\n---\n\n```{python}\n#| echo: 3\n```\n\n```{python}\nx = 1\n"
    assert [problem.source.line for problem in problems_of(text) if problem.source] == [1, 5, 9]


@pytest.mark.makes("cell-language")
def test_a_cell_in_another_language_is_shown_with_a_warning() -> None:
    document = read_markdown("```{r}\nplot(1)\n```\n\n```{python}\n1\n```\n", "a.qmd")
    (warning,) = document.warnings
    assert (warning.code, warning.level, str(warning.source)) == ("cell-language", "warning", "a.qmd:1")
    assert cell_of(document).number == 2


def test_yaml_that_nests_without_end_is_a_problem() -> None:
    (problem,) = problems_of(f"---\na: {'[' * 20_000}\n---\n")
    assert "nested too deeply" in problem.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One `{python} x + 1` two", ["x + 1"]),
        ("`{python} a` and `{python} b`", ["a", "b"]),
        ("`{python}\n  x`", ["x"]),
        ("`` `{python} x` ``", []),
        ("`{python}`", []),
        ("`{r} x`", []),
        ("open ` and\n\n`{python} x`", ["x"]),
        ("\\`{python} x`", []),
    ],
)
def test_expressions_are_found_in_code_spans_only(text: str, found: list[str]) -> None:
    assert [inline.expression for inline in expressions(text)] == found


def test_values_take_the_place_of_expressions() -> None:
    assert replaced("a `{python} x` b `{python} y`.", ["1", "2"]) == "a 1 b 2."


@given(st.text())
def test_looking_for_expressions_leaves_other_text_alone(text: str) -> None:
    count = len(expressions(text))
    assert replaced(text, ["v"] * count).count("v") >= count


def test_values_are_not_markup() -> None:
    assert escaped("a*b_[c] <d>") == r"a\*b\_\[c\] \<d\>"


def notebook(*cells: tuple[str, object], **more: object) -> bytes:
    made = [{"cell_type": kind, "source": source, "metadata": {}} for kind, source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made, **more}).encode()


def test_a_notebook_is_read_with_front_matter_options_and_text() -> None:
    data = notebook(
        ("raw", "---\ntitle: A\nexecute:\n  echo: false\n---"),
        ("markdown", ["# Head\n", "text"]),
        ("code", ["#| label: fig-a\n", "x = 1\n"]),
    )
    document = read_notebook(data, "a.ipynb")
    cell = cell_of(document)
    assert document.metadata["title"] == "A"
    assert (cell.code, cell.options.label, cell.options.echo, cell.code_line) == ("x = 1", "fig-a", False, None)


def raw_cell(source: str, **metadata: str) -> bytes:
    cell = {"cell_type": "raw", "source": source, "metadata": metadata}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        ({}, "a *b*"),
        ({"format": "text/markdown"}, "a *b*"),
        ({"raw_mimetype": "text/html"}, "``` {=html}\na *b*\n```"),
        ({"format": "text/latex"}, "``` {=latex}\na *b*\n```"),
        ({"format": "text/x-rst"}, ""),
    ],
)
def test_a_raw_cell_is_for_the_kind_of_output_that_it_names(metadata: dict[str, str], text: str) -> None:
    document = read_notebook(raw_cell("a *b*", **metadata), "a.ipynb")
    assert "".join(block.text for block in document.blocks if isinstance(block, Markdown)).strip() == text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("attachment:a%20b.png", "data:image/png;base64,QUJD"),
        ("attachment:gone.png", "attachment:gone.png"),
        ("attachment:text.txt", "attachment:text.txt"),
    ],
)
def test_an_image_attached_to_a_cell_is_shown(address: str, shown: str) -> None:
    held = {"a b.png": {"image/png": ["QU\n", "JD\n"]}, "text.txt": {"text/plain": "QUJD"}}
    assert with_attachments(f"![An image]({address})", held) == f"![An image]({shown})"
    assert with_attachments(f"![An image]({address})", None) == f"![An image]({address})"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "it has no list of cells"),
        (b'{"nbformat": 3, "cells": []}', "its format is 3 and not 4"),
        (b'{"nbformat": 4, "cells": {}}', "its `cells` are not a list"),
        (b'{"nbformat": 4, "cells": [1]}', "one of its cells is not an object"),
        (b'{"nbformat": 4, "cells": [{"source": 1}]}', "the source of a cell is not text"),
        (b"[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_no_notebook_is_told_why(data: bytes, reason: str) -> None:
    with pytest.raises(EngineError) as caught:
        read_notebook(data, "a.ipynb")
    (problem,) = caught.value.problems
    assert (problem.code, reason in problem.message) == ("notebook-invalid", True)


@pytest.mark.parametrize(
    ("value", "foreign"),
    [
        (None, False),
        ("python3", False),
        ("conda-stats", True),
        ({"kernelspec": {"name": "conda-stats", "language": "python"}}, False),
        ({"kernelspec": {"name": "ir", "language": "R"}}, True),
        ({"other": 1}, False),
    ],
)
def test_only_kernels_that_are_not_our_python_are_foreign(value: object, foreign: bool) -> None:
    assert (foreign_kernel({"jupyter": value}, "a.qmd") is not None) is foreign
