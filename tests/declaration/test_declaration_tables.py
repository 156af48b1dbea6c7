"""The `python` key of front matter and `_quarto.yml`, and the tables of `pyproject.toml`."""

from __future__ import annotations

import json
from datetime import date

import pytest
from declaring import applied, asked, only, refused, texts

from recto.declaration import caps
from recto.problems import Source


def paper(front_matter: str, **files: str) -> dict[str, str | bytes]:
    return {"paper.qmd": f"---\n{front_matter}\n---\n\nText.\n", **files}


def notebook(source: object, kind: str = "raw") -> dict[str, str | bytes]:
    return {"paper.ipynb": json.dumps({"cells": [{"cell_type": kind, "source": source}, {"cell_type": "code"}]})}


def test_a_render_asks_for_the_union_of_project_and_document() -> None:
    files = {
        "requirements.txt": "polars>=1\n",
        "_quarto.yml": "project:\n  type: book\npython:\n  dependencies: [duckdb]\n  requires-python: '<4'\n",
        "sub/paper.qmd": '---\ntitle: x\npython:\n  dependencies:\n  - "altair"\n  requires-python: ">=3.11"\n---\n',
    }
    declaration = asked(files, "sub/paper.qmd")
    assert texts(declaration) == ["polars>=1", "duckdb", "altair"]
    assert [str(d.source) for d in declaration.requirements] == [
        "requirements.txt:1",
        "_quarto.yml:4",
        "sub/paper.qmd:5",
    ]
    assert declaration.sources == ("requirements.txt", "_quarto.yml", "sub/paper.qmd")
    assert str(declaration.requires_python) == "<4,>=3.11"
    assert Source("_quarto.yml", 5) == declaration.requires_python_source
    assert texts(asked(files)) == ["polars>=1", "duckdb"]


@pytest.mark.parametrize(
    "table",
    [
        "python: {dependencies: [polars, 'duckdb>=1']}",
        'python:\n  dependencies: ["polars", "duckdb>=1"]',
        "python:\n    dependencies:\n    - polars\n    - duckdb>=1",
        "python:\n  dependencies:\n    - !!str polars\n    - >-\n      duckdb>=1",
        'x: &all [polars, "duckdb>=1"]\n"python" :\n  dependencies: *all',
        "{title: x, python: {dependencies: [polars, duckdb>=1]}}",
        "python: {dependencies: [json]}\npython: {dependencies: [polars, duckdb>=1]}",
        "code: !expr f(x)\npython: {dependencies: [polars, duckdb>=1]}",
    ],
)
def test_yaml_may_be_written_in_its_many_ways(table: str) -> None:
    assert texts(asked(paper(table), "paper.qmd")) == ["polars", "duckdb>=1"]


@pytest.mark.parametrize(
    "document",
    [
        "---\npython: {dependencies: [polars]}\n---",
        "---  \r\npython: {dependencies: [polars]}\r\n...\r\ntext",
        "\ufeff---\npython: {dependencies: [polars]}\n---\n",
        "---\npython: {dependencies: [polars]}\n---\n\n```\n---\npython: [\n---\n```\n",
    ],
)
@pytest.mark.parametrize("name", ["paper.qmd", "paper.md", "PAPER.QMD", "paper.Rmd"])
def test_front_matter_stands_between_lines_at_the_top(name: str, document: str) -> None:
    assert texts(asked({name: document}, name)) == ["polars"]


@pytest.mark.parametrize(
    "document",
    [
        "python: {dependencies: [polars]}",
        "text\n---\npython: {dependencies: [polars]}\n---\n",
        "---\npython: {dependencies: [polars]}\n",
        "----\npython: {dependencies: [polars]}\n----\n",
        "---\n---\npython: {dependencies: [polars]}\n---\n",
        "---\njupyter: python3\n---\n",
        "---\npython:\n---\n",
        "---\npython:\n  dependencies:\n---\n",
        "---\ntitle: [\njupyter: python3\n---\n",
        "",
    ],
)
def test_anything_else_in_a_document_asks_for_nothing(document: str) -> None:
    assert asked({"paper.qmd": document}, "paper.qmd").empty


def test_the_body_of_a_document_need_not_be_text() -> None:
    data = b"---\npython: {dependencies: [polars]}\n---\n\x00\xff\xfe caf\xe9"
    assert texts(asked({"paper.qmd": data}, "paper.qmd")) == ["polars"]


@pytest.mark.parametrize("kind", ["raw", "markdown"])
def test_a_notebook_has_its_front_matter_in_the_first_cell(kind: str) -> None:
    text = "---\npython: {dependencies: [polars]}\n---\n"
    for source in (text, text.splitlines(keepends=True)):
        declaration = asked(notebook(source, kind), "paper.ipynb")
        assert texts(declaration) == ["polars"]
        assert Source("paper.ipynb") == declaration.requirements[0].source


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", "1", '{"cells": {}}', '{"cells": []}', '{"cells": [1]}', '{"cells": [{"cell_type": "raw"}]}'],
)
def test_a_notebook_without_such_a_cell_asks_for_nothing(content: str) -> None:
    assert asked({"paper.ipynb": content}, "paper.ipynb").empty


def test_a_code_cell_is_no_front_matter() -> None:
    assert asked(notebook("---\npython: {dependencies: [polars]}\n---\n", "code"), "paper.ipynb").empty


@pytest.mark.parametrize("content", ["", "{", "[" * 200_000, '{"cells": ' + "1" * 5000 + "}", b"\xff"])
def test_a_notebook_that_is_not_json_is_refused(content: str | bytes) -> None:
    assert only({"paper.ipynb": content}, "paper.ipynb").code == "declaration-syntax"


@pytest.mark.parametrize(
    ("table", "key", "line"),
    [
        ("python: 3.11", "`python`", 2),
        ("python: [polars]", "`python`", 2),
        ("python: polars", "`python`", 2),
        ("python:\n  dependencies: polars", "`python.dependencies`", 3),
        ("python:\n  dependencies: {polars: 1}", "`python.dependencies`", 3),
        ("python:\n  dependencies:\n  - polars: 1", "`python.dependencies`", 4),
        ("python:\n  dependencies:\n  - 1.5", "`python.dependencies`", 4),
        ("python:\n  dependencies:\n  -", "`python.dependencies`", 4),
        ("python:\n  dependencies:\n  - |\n    polars\n    duckdb", "`python.dependencies`", 4),
        ("python:\n  dependencies:\n  - [polars]", "`python.dependencies`", 4),
        ("python:\n  requires-python: 3.11", "`python.requires-python`", 3),
        ("python:\n  requires-python: '3.11'", "`python.requires-python`", 3),
        ("python:\n  requires-python: '^3.11'", "`python.requires-python`", 3),
        ("python:\n  requires-python: ['>=3.11']", "`python.requires-python`", 3),
        ("python:\n  as-of: 20260131", "`python.as-of`", 3),
        ("python:\n  as-of: 2026-02-31", "`python.as-of`", 3),
        ("python:\n  as-of: 2026-01-31T10:00:00Z", "`python.as-of`", 3),
        ("python:\n  as-of: yesterday", "`python.as-of`", 3),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_an_example(table: str, key: str, line: int) -> None:
    problem = only(paper(table), "paper.qmd")
    assert ("declaration-type", Source("paper.qmd", line)) == (problem.code, problem.source)
    assert problem.message.startswith(key)
    assert "For example" in problem.hint


def test_a_misspelt_key_is_refused_since_it_would_ask_for_nothing() -> None:
    problem = only(paper("python:\n  dependancies: [polars]"), "paper.qmd")
    assert ("declaration-key", Source("paper.qmd", 3)) == (problem.code, problem.source)
    assert "`dependencies`" in problem.hint


@pytest.mark.parametrize(
    "table",
    [
        "python: {dependencies: [",
        'python: "\\U99999999"',
        "python: *nothing",
        "python:\n\t- x",
        "a: " * 60 + "\npython: x",
    ],
)
def test_broken_yaml_with_a_python_key_is_refused(table: str) -> None:
    assert only(paper(table), "paper.qmd").code == "declaration-syntax"


def test_aliases_are_never_multiplied_out() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 40)]
    bomb = "\n".join(["l0: &l0 polars", *levels, "python: {dependencies: [*l0, *l39]}"])
    assert "`python.dependencies`" in only(paper(bomb), "paper.qmd").message


def test_deep_yaml_is_refused() -> None:
    for deep in ("[" * 20_000, "- " * 20_000, "{a: " * 10_000, "? " * 20_000):
        assert only(paper(f"x: \n {deep}\npython: x"), "paper.qmd").code == "declaration-syntax"


def test_yaml_over_the_caps_is_refused() -> None:
    padding = "#" * caps.YAML_BYTES
    assert only(paper(f"{padding}\npython: {{}}"), "paper.qmd").code == "declaration-too-large"
    assert only({"_quarto.yml": f"{padding}\npython: {{}}"}).code == "declaration-too-large"
    assert only({"paper.qmd": b"x" * (caps.DOCUMENT_BYTES + 1)}, "paper.qmd").code == "declaration-too-large"
    many = ",".join(["a"] * (caps.LINES + 1))
    assert "5,001 entries" in only(paper(f"python: {{dependencies: [{many}]}}"), "paper.qmd").message
    assert asked({"_quarto.yml": f"{padding}\ntitle: x"}).empty


@pytest.mark.parametrize(
    ("table", "mended"),
    [
        ("python:\n  dependencies:\n  - os\n  - polars", ["polars"]),
        ("python:\n  dependencies:\n  - 'os'", []),
        ("python:\n  dependencies:\n  - polars=1.2  # why", ["polars==1.2"]),
        ("python:\n  dependencies: [altair, polars=1.2]", ["altair", "polars==1.2"]),
        ("python:\n  dependencies: [altair, os]", ["altair"]),
        ("python:\n  dependencies: [ 'os' , altair]", ["altair"]),
        ("python:\n  dependencies: [altair, os, polars]", ["altair", "polars"]),
        ("python:\n  dependencies: [os]", []),
        ("python: {dependencies: [altair,os], as-of: 2026-01-01}", ["altair"]),
        ("python:\n  dependencies: [altair, os] # os", None),
        ("python:\n  dependencies:\n    [altair,\n    os, polars]", ["altair", "polars"]),
        ("python:\n  dependencies: [a, 'b, c']", None),
        ("python:\n  dependencies: [a=1, aa=1]", None),
    ],
)
def test_a_fix_in_front_matter_leaves_yaml_behind(table: str, mended: list[str] | None) -> None:
    files = paper(table)
    problem = refused(files, "paper.qmd")[0]
    if mended is None:
        assert problem.fix is None
    else:
        assert problem.fix is not None
        assert mended == texts(asked(applied(problem.fix, files), "paper.qmd"))


def test_an_include_has_no_place_in_a_list() -> None:
    problem = only(paper("python:\n  dependencies: ['-r more.txt']", **{"more.txt": "polars"}), "paper.qmd")
    assert problem.code == "declaration-option"
    assert "`requirements.txt`" in problem.hint


def test_of_several_dates_the_earliest_counts() -> None:
    files = {
        "pyproject.toml": '[tool.recto]\nas-of = 2026-03-01\n[project]\ndependencies = ["unread"]',
        "requirements.txt": "polars",
        **paper("python: {as-of: 2026-01-31}"),
    }
    assert date(2026, 3, 1) == asked(files).as_of
    assert date(2026, 1, 31) == asked(files, "paper.qmd").as_of
    assert date(2025, 1, 1) == asked({**files, "_quarto.yml": "python: {as-of: '2025-01-01'}"}, "paper.qmd").as_of
    assert texts(asked(files)) == ["polars"]


def test_pyproject_is_read_where_there_are_no_requirements() -> None:
    toml = """
[project]
name = "paper"
requires-python = ">=3.11"
dependencies = [
    "polars>=1",  # frames
    'duckdb',
]
[tool.recto]
as-of = "2026-01-31"
"""
    declaration = asked({"pyproject.toml": toml})
    assert texts(declaration) == ["polars>=1", "duckdb"]
    assert [each.source.line for each in declaration.requirements] == [6, 7]
    assert (">=3.11", Source("pyproject.toml", 4)) == (
        str(declaration.requires_python),
        declaration.requires_python_source,
    )
    assert date(2026, 1, 31) == declaration.as_of
    assert None is asked({"pyproject.toml": toml, "requirements.txt": ""}).requires_python


def test_a_fix_in_pyproject_leaves_toml_behind() -> None:
    files = {"pyproject.toml": '[project]\ndependencies = [\n  "polars=1.2",\n  "os",\n]'}
    pin, module = refused(files)
    assert pin.fix is not None
    assert module.fix is not None
    files = applied(module.fix, applied(pin.fix, files))
    assert texts(asked(files)) == ["polars==1.2"]


@pytest.mark.makes("declaration-syntax", "declaration-type", "declaration-key")
@pytest.mark.parametrize(
    ("toml", "code"),
    [
        ("[project", "declaration-syntax"),
        ("a = " + "[" * 100_000, "declaration-syntax"),
        ("a = " + "1" * 5_000, "declaration-syntax"),
        ("a = 1979-99-99", "declaration-syntax"),
        (".".join(["a"] * 1_000) + " = 1", "declaration-syntax"),
        ("[project]\ndependencies = 'polars'", "declaration-type"),
        ("[project]\ndependencies = [1]", "declaration-type"),
        ("[project]\nrequires-python = 3.11", "declaration-type"),
        ("[tool.recto]\nas-of = 2026-01-31T10:00:00", "declaration-type"),
        ("[tool.recto]\nas_of = 2026-01-31", "declaration-key"),
        ("[tool]\nrecto = 1", "declaration-type"),
    ],
)
def test_a_pyproject_that_cannot_be_read_is_refused(toml: str, code: str) -> None:
    assert code == only({"pyproject.toml": toml}).code


@pytest.mark.parametrize("toml", ["", "project = 1", "tool = 1", "[project]\nname = 'x'", "[tool.other]\na = 1"])
def test_a_pyproject_without_our_tables_asks_for_nothing(toml: str) -> None:
    assert asked({"pyproject.toml": toml}).empty


def test_a_broken_pyproject_beside_requirements_that_does_not_name_us_stops_nothing() -> None:
    assert texts(asked({"pyproject.toml": "[broken", "requirements.txt": "polars"})) == ["polars"]


@pytest.mark.makes("declaration-dynamic")
def test_dynamic_dependencies_are_remarked_on() -> None:
    (remark,) = asked({"pyproject.toml": "[project]\ndynamic = ['version', 'dependencies']"}).remarks
    assert ("declaration-dynamic", Source("pyproject.toml", 2)) == (remark.code, remark.source)


def test_a_document_that_is_missing_or_outside_is_a_problem() -> None:
    assert only({}, "paper.qmd").code == "file-not-found"
    for document in ("../paper.qmd", "/paper.qmd", "https://example.org/paper.qmd", ""):
        assert only({}, document).code == "declaration-include"
