"""A document file to a document."""

from __future__ import annotations

from pathlib import Path

from recto.engines.jupyter.document import Document
from recto.engines.jupyter.markdown_reader import read_markdown
from recto.engines.jupyter.notebook_reader import read_notebook
from recto.problems import EngineError, Source, problem
from recto.sandbox.beneath import Beneath, why

# A notebook with many stored figures has tens of megabytes.
DOCUMENT_BYTES_MAX = 100_000_000


def read_document(path: Path, project: Path, file: str) -> Document:
    """The document in this file of the project, which problems call `file`; raises EngineError."""
    if path.suffix.lower() not in (".qmd", ".md", ".ipynb"):
        raise EngineError(problem("document-unknown-type", document=file))
    try:
        # Early: no cell of this render has run, and its kernel waits for this.
        with Beneath(project.resolve(), early=True) as opened:
            name = opened.followed(path)
            if name is None:
                raise EngineError(problem("document-missing", document=file))
            data = opened.read(name, DOCUMENT_BYTES_MAX)
    except OSError as error:
        raise EngineError(problem("document-invalid", document=file, reason=why(error))) from error
    if path.suffix.lower() == ".ipynb":
        return read_notebook(data, file)
    try:
        return read_markdown(data.decode("utf-8"), file)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = problem("document-invalid", source=Source(file, line), document=file, reason="it is not UTF-8 text")
        raise EngineError(found) from error
