"""`pyproject.toml`: PEP 621's `dependencies` and `requires-python`, and `as-of` of `[tool.recto]`."""

from __future__ import annotations

from collections.abc import Mapping

from recto.declaration.caps import FILE_BYTES
from recto.declaration.part import Part, joined, wrong
from recto.declaration.reading import text_of
from recto.declaration.table import Place, read_table
from recto.declaration.text import Unreadable, lines_of
from recto.declaration.toml import line_of, load, value_of
from recto.problems import Problem, Source, problem

FILE = "pyproject.toml"


def read_pyproject(data: bytes, with_project: bool) -> Part:
    """What the file asks for: `[tool.recto]`, and `[project]` where `with_project`."""
    text = text_of(FILE, data, FILE_BYTES)
    if isinstance(text, Problem):
        return wrong(text)
    # A project that keeps its requirements elsewhere is not stopped by a file that says nothing to us.
    if not with_project and "recto" not in text:
        return Part()
    try:
        document = load(text)
    except Unreadable as reason:
        return wrong(problem("declaration-syntax", source=Source(FILE), file=FILE, reason=str(reason)))
    lines = lines_of(text)
    parts = [_project(document.get("project"), lines)] if with_project else []
    tool = document.get("tool")
    parts.append(_tool(tool.get("recto") if isinstance(tool, Mapping) else None, lines))
    return joined((Part(sources=(FILE,)), *parts))


def _project(project: object, lines: list[str]) -> Part:
    if not isinstance(project, Mapping):
        return Part()
    asked = {key: project[key] for key in ("dependencies", "requires-python") if key in project}
    header = line_of(("[project]",), lines) or 0
    part = read_table(value_of(asked, lines, header), Place(FILE, "project", tuple(lines)))
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic and "dependencies" not in asked:
        line = line_of(("dynamic",), lines, header)
        return joined((part, Part(remarks=(problem("declaration-dynamic", source=Source(FILE, line)),))))
    return part


def _tool(table: object, lines: list[str]) -> Part:
    if table is None:
        return Part()
    header = line_of(("[tool.recto]",), lines) or 0
    return read_table(value_of(table, lines, header), Place(FILE, "tool.recto", tuple(lines)), keys=("as-of",))
