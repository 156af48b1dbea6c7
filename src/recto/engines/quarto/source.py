"""What Recto reads of a document before Quarto does: its cells, its formats, and whether it runs Python at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from msgspec import Struct
from msgspec.structs import replace

from recto.sandbox.beneath import Beneath

SUFFIXES = (".qmd", ".md", ".ipynb")

_FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_INCLUDE = re.compile(r"^[ \t]*\{\{<[ \t]*include[ \t]+(?P<path>[^\s>]+)[ \t]*>\}\}[ \t]*$")
# Included files may include others; a file that includes itself ends here.
_INCLUDES_DEEP_MAX = 8
# A notebook with many stored figures has tens of megabytes.
_BYTES_MAX = 100_000_000
_PYTHON = re.compile(r"^\s*\{python\b[^{}]*\}\s*$")


class Cell(Struct, frozen=True):
    """One Python cell. `number` counts from 1; `line` is that of its first line in `file`, None in a notebook.

    `file` is the document or a file that it includes.
    """

    number: int
    source: str
    file: Path
    line: int | None = None


class Document(Struct, frozen=True):
    """The cells in order; `formats` as the document or else its project names them; `executes`: Python cells run."""

    cells: tuple[Cell, ...]
    formats: tuple[str, ...] = ()
    executes: bool = False


def read_document(path: Path, project: Path) -> Document:
    """The document at this path. What cannot be parsed counts as absent: Quarto reads it too and says what is wrong."""
    text = _text(path, project)
    if path.suffix == ".ipynb":
        notebook = _mapping(_json(text))
        front, found = _notebook_front(notebook), _notebook_cells(path, notebook)
    else:
        front, found = _front_matter(text), _fenced_cells(path, text, project, _INCLUDES_DEEP_MAX)
    cells = tuple(replace(cell, number=number) for number, cell in enumerate(found, start=1))
    options = {**_project_options(project), **front}
    return Document(
        cells=cells,
        formats=_formats(options.get("format")),
        # Quarto does not run the cells of a plain `.md` file.
        executes=bool(cells) and path.suffix != ".md" and _mapping(options.get("execute")).get("enabled") is not False,
    )


def _fenced_cells(path: Path, text: str, project: Path, deep: int) -> Iterator[Cell]:
    """The cells of a document and of what it includes, in the order in which they run."""
    fence, first, gathered = "", 0, list[str]()
    for place, line in enumerate(text.splitlines(), start=1):
        match = _FENCE.match(line)
        if fence and match and not match["info"].strip() and match["fence"].startswith(fence):
            if first:
                yield Cell(0, "\n".join(gathered), path, first)
            fence = ""
        elif fence:
            gathered.append(line)
        elif match:
            fence, gathered = match["fence"], []
            first = place + 1 if fence[0] == "`" and _PYTHON.match(match["info"]) else 0
        elif deep and (included := _included(path, line, project)):
            yield from _fenced_cells(included, _text(included, project), project, deep - 1)


def _included(path: Path, line: str, project: Path) -> Path | None:
    """The file that a line includes: beside the including one or, with a leading slash, in the project; or None."""
    match = _INCLUDE.match(line)
    if match is None:
        return None
    name = match["path"].strip("'\"")
    file = project / name.lstrip("/") if name.startswith("/") else path.parent / name
    return file if _bytes(file, project) is not None else None


def _notebook_cells(path: Path, notebook: Mapping[str, object]) -> Iterator[Cell]:
    metadata = _mapping(notebook.get("metadata"))
    if _mapping(metadata.get("kernelspec")).get("language", "python") == "python":
        yield from (Cell(0, _source(cell), path) for cell in _cells(notebook) if cell.get("cell_type") == "code")


def _cells(notebook: Mapping[str, object]) -> list[Mapping[str, object]]:
    cells = notebook.get("cells")
    return [_mapping(cell) for cell in cells] if isinstance(cells, list) else []


def _source(cell: Mapping[str, object]) -> str:
    """A cell's source: a string, or a list of lines that keep their newlines (nbformat 4)."""
    source = cell.get("source")
    return "".join(map(str, source)) if isinstance(source, list) else str(source or "")


def _notebook_front(notebook: Mapping[str, object]) -> Mapping[str, object]:
    """The front matter of a notebook: its first cell, where that is raw or Markdown and set between dashes."""
    cells = _cells(notebook)
    return _front_matter(_source(cells[0])) if cells and cells[0].get("cell_type") != "code" else {}


def _front_matter(text: str) -> Mapping[str, object]:
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != "---":
        return {}
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    return _yaml("\n".join(lines[1:end])) if end else {}


def _project_options(project: Path) -> Mapping[str, object]:
    for name in ("_quarto.yml", "_quarto.yaml"):
        if text := _text(project / name, project):
            return _yaml(text)
    return {}


def _formats(declared: object) -> tuple[str, ...]:
    if isinstance(declared, str):
        return (declared,)
    return tuple(str(name) for name in declared) if isinstance(declared, dict) else ()


def _text(path: Path, project: Path) -> str:
    return (_bytes(path, project) or b"").decode("utf-8-sig", "replace")


def _bytes(path: Path, project: Path) -> bytes | None:
    """What a file holds, by links within the project only; None for all that is no plain file there."""
    try:
        # Early: no cell of this render has run.
        with Beneath(project.resolve(), early=True) as opened:
            name = opened.followed(path)
            return None if name is None else opened.read(name, _BYTES_MAX)
    except OSError:
        return None


def _yaml(text: str) -> Mapping[str, object]:
    try:
        return _mapping(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}


def _json(text: str) -> object:
    try:
        loaded: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return loaded


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
