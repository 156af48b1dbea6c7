"""One cell's text to a cell."""

from __future__ import annotations

from collections.abc import Mapping

from recto.engines.jupyter.document import Cell
from recto.engines.jupyter.formats import ALIASES
from recto.engines.jupyter.options import Options, defaults, options, split_options


class CellReader:
    """Reads the cells of a document whose front matter says `metadata`; ValueError, in words, for a wrong option."""

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self._shared = defaults(metadata)
        targets = dict.fromkeys(ALIASES.values())
        names = {target: [name for name, meant in ALIASES.items() if meant == target] for target in targets}
        self._by_format = {target: defaults(metadata, names[target]) for target in targets}
        options(self._shared)

    def cell(self, text: str, number: int, line: int | None) -> Cell:
        """The cell with this text, whose first line is `line` of the document."""
        code, skipped, own = split_options(text)
        shown: dict[str, Options] = {target: options({**shared, **own}) for target, shared in self._by_format.items()}
        code_line = None if line is None else line + skipped
        return Cell(code.rstrip("\n"), text, options({**self._shared, **own}), number, code_line, shown)
