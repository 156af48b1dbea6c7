"""The `python` key of `_quarto.yml` and of a document's front matter.

In a document, the front matter is the YAML between `---` lines at its very top; in a notebook, at the top of its
first cell, where that is a raw or Markdown cell, as Quarto reads it. YAML without a `python` key is not looked at:
what else is wrong with it is for the engine to say.
"""

from __future__ import annotations

import json
import re
from itertools import islice

from recto.declaration.caps import DOCUMENT_BYTES, FILE_BYTES, YAML_BYTES
from recto.declaration.part import Part, joined, wrong
from recto.declaration.reading import text_of, too_large
from recto.declaration.table import Place, read_table
from recto.declaration.text import Unreadable, lines_of
from recto.problems import Problem, Source, problem

_KEY = re.compile(r"\bpython[\"']?\s*:")
_OPEN = re.compile(r"---\s*")
_CLOSE = re.compile(r"(?:---|\.\.\.)\s*")


def read_project_yaml(file: str, data: bytes) -> Part:
    """What `_quarto.yml` asks for."""
    text = text_of(file, data, FILE_BYTES)
    if isinstance(text, Problem):
        return wrong(text)
    return joined((Part(sources=(file,)), _read_yaml(file, text, 1, tuple(lines_of(text)))))


def read_document(file: str, data: bytes) -> Part:
    """What the front matter of a document asks for; nothing where the format has no front matter."""
    oversize = too_large(file, data, DOCUMENT_BYTES)
    if oversize:
        return wrong(oversize)
    suffix = file.lower().rpartition(".")[2]
    if suffix == "ipynb":
        return _read_notebook(file, data)
    return _read_markdown(file, data) if suffix in ("qmd", "md", "markdown", "rmd") else Part()


def _read_markdown(file: str, data: bytes) -> Part:
    text = text_of(file, _head(data), DOCUMENT_BYTES)
    if isinstance(text, Problem):
        return wrong(text)
    lines = lines_of(text)
    block = _block(lines)
    return joined((Part(sources=(file,)), _read_yaml(file, block, 2, tuple(lines)))) if block else Part()


def _head(data: bytes) -> bytes:
    """The front matter with its fences, nothing where there is none; the rest of a document need not be text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data
    if not re.match(rb"(?:\xef\xbb\xbf)?---[ \t]*[\r\n]", data):
        return b""
    close = re.search(rb"[\r\n](?:---|\.\.\.)[ \t]*(?=[\r\n]|\Z)", data[3:])
    return data[: close.end() + 3] if close else b""


def _block(lines: list[str]) -> str:
    if not _OPEN.fullmatch(lines[0]):
        return ""
    close = next((n for n, line in islice(enumerate(lines), 1, None) if _CLOSE.fullmatch(line)), 0)
    return "\n".join(lines[1:close])


def _read_notebook(file: str, data: bytes) -> Part:
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError):
        return wrong(problem("declaration-syntax", source=Source(file), file=file, reason="it is not JSON"))
    # A notebook's text may hold half a character, which is no reason to refuse it here.
    head = _head(_first_cell(notebook).encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
    block = _block(lines_of(head))
    return joined((Part(sources=(file,)), _read_yaml(file, block, None, ()))) if block else Part()


def _first_cell(notebook: object) -> str:
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    cell = cells[0] if isinstance(cells, list) and cells else None
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("raw", "markdown"):
        return ""
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(piece for piece in source if isinstance(piece, str))
    return source if isinstance(source, str) else ""


def _read_yaml(file: str, text: str, first_line: int | None, lines: tuple[str, ...]) -> Part:
    if not _KEY.search(text):
        return Part()
    oversize = too_large(file, text.encode("utf-8", "surrogatepass"), YAML_BYTES)
    if oversize:
        return wrong(oversize)
    # Few have the key, and the YAML parser takes as long to import as everything else that reads a declaration.
    from recto.declaration.marked_yaml import value_at

    try:
        table = value_at(text, "python", first_line)
    except Unreadable as reason:
        return wrong(problem("declaration-syntax", source=Source(file), file=file, reason=str(reason)))
    return read_table(table, Place(file, "python", lines)) if table else Part()
