"""`.ipynb` bytes to a document. Stored outputs are not read: the cells run again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from recto.engines.jupyter.attachments import with_attachments
from recto.engines.jupyter.cell_reader import CellReader
from recto.engines.jupyter.document import Block, Document, Markdown
from recto.engines.jupyter.fences import Fenced, fence_for, spans
from recto.engines.jupyter.front_matter import split_front_matter
from recto.engines.jupyter.yaml_text import read_mapping
from recto.problems import EngineError, Problem, Source, problem

# pandoc's names of the formats that raw cells may be in; a raw cell in any other is in no output.
RAW_FORMATS = {"text/html": "html", "text/latex": "latex", "application/x-typst": "typst"}


def read_notebook(data: bytes, file: str) -> Document:
    """The document in this notebook (nbformat 4); raises EngineError where it is none.

    Front matter is what stands between `---` at the start of the first raw or Markdown cell.
    """
    notebook = _notebook(data, file)
    pieces = [_piece(cell, file) for cell in _list(notebook, "cells", file)]
    front, metadata = "", _shared_metadata(notebook)
    if pieces and pieces[0][0] in ("raw", "markdown"):
        front, yaml, rest, _ = split_front_matter(pieces[0][1] + "\n")
        try:
            metadata = {**metadata, **read_mapping(yaml)}
        except ValueError as error:
            raise _invalid(file, f"the front matter: {error}") from error
        if front:
            pieces[0] = ("markdown", rest)
    return Document(front, metadata, tuple(_blocks(pieces, metadata, file)))


def _blocks(pieces: list[tuple[str, str]], metadata: Mapping[str, object], file: str) -> Iterator[Block]:
    number = 0
    try:
        reader = CellReader(metadata)
    except ValueError as error:
        raise _invalid(file, str(error)) from error
    for kind, text in pieces:
        if kind in ("markdown", "raw"):
            for span in spans(text.rstrip("\n") + "\n\n"):
                yield Markdown(span.source, None, verbatim=isinstance(span, Fenced))
        elif kind == "code":
            number += 1
            try:
                yield reader.cell(text, number, None)
            except ValueError as error:
                raise _invalid(file, f"the options of cell {number}: {error}") from error


def _notebook(data: bytes, file: str) -> Mapping[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _not_a_notebook(file, "it is not JSON") from error
    if not isinstance(value, dict) or "cells" not in value:
        raise _not_a_notebook(file, "it has no list of cells")
    if value.get("nbformat") != 4:
        raise _not_a_notebook(file, f"its format is {value.get('nbformat')!r} and not 4")
    return value


def _list(value: Mapping[str, object], key: str, file: str) -> list[object]:
    items = value.get(key)
    if not isinstance(items, list):
        raise _not_a_notebook(file, f"its `{key}` are not a list")
    return items


def _piece(cell: object, file: str) -> tuple[str, str]:
    """The cell's type and text; a source may be a text or a list of lines."""
    if not isinstance(cell, dict):
        raise _not_a_notebook(file, "one of its cells is not an object")
    source = cell.get("source", "")
    parts = source if isinstance(source, list) else [source]
    if not all(isinstance(part, str) for part in parts):
        raise _not_a_notebook(file, "the source of a cell is not text")
    kind, text = str(cell.get("cell_type")), "".join(parts)
    if kind == "raw":
        return _raw(text, cell.get("metadata"))
    return kind, with_attachments(text, cell.get("attachments")) if kind == "markdown" else text


def _raw(text: str, metadata: object) -> tuple[str, str]:
    """The type and text of a raw cell: it is for the kind of output that its MIME type names, else Markdown."""
    values = metadata if isinstance(metadata, dict) else {}
    mime = str(values.get("raw_mimetype") or values.get("format") or "text/markdown")
    if mime in ("text/markdown", "text/plain"):
        return "raw", text
    form = RAW_FORMATS.get(mime)
    fence = fence_for(text)
    return "markdown", f"{fence} {{={form}}}\n{text}\n{fence}\n" if form else ""


def _shared_metadata(notebook: Mapping[str, object]) -> dict[str, object]:
    """The kernel that the notebook was saved with, in the place where front matter has it."""
    metadata = notebook.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        return {}
    # Older notebooks have the language only here.
    info = metadata.get("language_info")
    language = info.get("name") if isinstance(info, dict) else None
    return {"jupyter": {"kernelspec": {"language": language, **spec}}}


def _invalid(file: str, reason: str) -> EngineError:
    return EngineError(problem("document-invalid", source=Source(file), document=file, reason=reason))


def _not_a_notebook(file: str, reason: str) -> EngineError:
    found: Problem = problem("notebook-invalid", source=Source(file), document=file, reason=reason)
    return EngineError(found)
