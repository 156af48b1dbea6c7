"""What Recto reads of a document before Quarto does: its cells, its formats, and whether it runs Python at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

SUFFIXES = (".qmd", ".md", ".ipynb")

_FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_PYTHON = re.compile(r"^\s*\{python\b[^{}]*\}\s*$")


@dataclass(frozen=True, slots=True)
class Cell:
    """One Python cell. `number` counts from 1, `line` is that of its first line in the file, None in a notebook."""

    number: int
    source: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The cells in order; `formats` as the document or else its project names them; `executes`: Python cells run."""

    cells: tuple[Cell, ...]
    formats: tuple[str, ...] = ()
    executes: bool = False


def read_document(path: Path, project: Path) -> Document:
    """The document at this path. What cannot be parsed counts as absent: Quarto reads it too and says what is wrong."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.suffix == ".ipynb":
        notebook = _mapping(_json(text))
        front, cells = _notebook_front(notebook), tuple(_notebook_cells(notebook))
    else:
        front, cells = _front_matter(text), tuple(_fenced_cells(text))
    options = {**_project_options(project), **front}
    return Document(
        cells=cells,
        formats=_formats(options.get("format")),
        # Quarto does not run the cells of a plain `.md` file.
        executes=bool(cells) and path.suffix != ".md" and _mapping(options.get("execute")).get("enabled") is not False,
    )


def _fenced_cells(text: str) -> Iterator[Cell]:
    fence, first, gathered, number = "", 0, list[str](), 0
    for place, line in enumerate(text.splitlines(), start=1):
        match = _FENCE.match(line)
        if not fence:
            if match:
                fence = match["fence"]
                gathered, first = [], place + 1 if fence[0] == "`" and _PYTHON.match(match["info"]) else 0
        elif match and not match["info"].strip() and match["fence"].startswith(fence):
            fence = ""
            if first:
                number += 1
                yield Cell(number, "\n".join(gathered), first)
        else:
            gathered.append(line)


def _notebook_cells(notebook: Mapping[str, object]) -> Iterator[Cell]:
    metadata = _mapping(notebook.get("metadata"))
    if _mapping(metadata.get("kernelspec")).get("language", "python") != "python":
        return
    sources = [_source(cell) for cell in _cells(notebook) if cell.get("cell_type") == "code"]
    for number, source in enumerate(sources, start=1):
        yield Cell(number, source)


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
        if (project / name).is_file():
            return _yaml((project / name).read_text(encoding="utf-8", errors="replace"))
    return {}


def _formats(declared: object) -> tuple[str, ...]:
    if isinstance(declared, str):
        return (declared,)
    return tuple(str(name) for name in declared) if isinstance(declared, dict) else ()


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
