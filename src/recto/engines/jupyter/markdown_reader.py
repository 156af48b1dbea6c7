"""`.qmd` and `.md` text to a document."""

from __future__ import annotations

from collections.abc import Mapping

from recto.engines.jupyter.cell_reader import CellReader
from recto.engines.jupyter.document import Block, Document, Markdown
from recto.engines.jupyter.fences import Fenced, fence_for, spans
from recto.engines.jupyter.front_matter import split_front_matter
from recto.engines.jupyter.yaml_text import read_mapping
from recto.problems import EngineError, Problem, Source, problem

# What Quarto leaves to pandoc although it stands in braces without a dot or equals sign.
_SHOWN_BY_PANDOC = frozenset({"verbatim"})


def read_markdown(text: str, file: str) -> Document:
    """The document in this text; `file` is its name in problems. Raises EngineError with all problems, by line."""
    reader = _Reader(file)
    front, yaml, rest, lines = split_front_matter(text.removeprefix("\ufeff"))
    metadata = reader.mapping(yaml)
    cells = reader.cell_reader(metadata)
    for span in spans(rest, lines + 1):
        if isinstance(span, Fenced):
            reader.fenced(span, cells)
        else:
            reader.blocks.append(Markdown(span.source, span.line))
    if reader.problems:
        raise EngineError(reader.problems)
    return Document(front, metadata, tuple(reader.blocks), tuple(reader.warnings))


class _Reader:
    """The blocks and problems gathered so far."""

    def __init__(self, file: str) -> None:
        self.blocks: list[Block] = []
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._file = file
        self._cells = 0

    def mapping(self, yaml: str) -> Mapping[str, object]:
        try:
            return read_mapping(yaml)
        except ValueError as error:
            self._invalid(f"the front matter: {error}", 1)
            return {}

    def cell_reader(self, metadata: Mapping[str, object]) -> CellReader:
        try:
            return CellReader(metadata)
        except ValueError as error:
            self._invalid(str(error), 1)
            return CellReader({})

    def fenced(self, span: Fenced, cells: CellReader) -> None:
        language = span.language
        if language is None or language in _SHOWN_BY_PANDOC:
            self.blocks.append(Markdown(_shown(span), span.line, verbatim=True))
            return
        self._cells += 1
        if not span.closed:
            self._invalid("a code cell that begins here never ends", span.line)
        elif language == "python":
            self._cell(span, cells)
        else:
            self._foreign(span, language)

    def _cell(self, span: Fenced, cells: CellReader) -> None:
        try:
            self.blocks.append(cells.cell(span.body.replace("\r\n", "\n"), self._cells, span.line + 1))
        except ValueError as error:
            self._invalid(f"the options of this cell: {error}", span.line)

    def _foreign(self, span: Fenced, language: str) -> None:
        where = Source(self._file, span.line)
        self.warnings.append(problem("cell-language", source=where, cell=self._cells, language=language))
        fence = fence_for(span.body)
        self.blocks.append(Markdown(f"{fence} {language}\n{span.body}\n{fence}\n", span.line, verbatim=True))

    def _invalid(self, reason: str, line: int) -> None:
        source = Source(self._file, line)
        self.problems.append(problem("document-invalid", source=source, document=self._file, reason=reason))


def _shown(span: Fenced) -> str:
    """The block as pandoc reads it: `{{python}}` is how authors write a cell that is to be shown with its fences."""
    if not (span.info.startswith("{{") and span.info.endswith("}}")):
        return span.source
    inner = span.source.replace(span.info, span.info[1:-1], 1)
    fence = fence_for(inner)
    return f"{fence} markdown\n{inner.rstrip()}\n{fence}\n"
