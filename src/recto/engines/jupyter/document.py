"""A document as the engine sees it: front matter, prose and cells in order, each with the line it came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from recto.engines.jupyter.options import Options
from recto.problems import Problem


class Markdown(Struct, frozen=True):
    """Text for pandoc; `verbatim` is a block of code, in which nothing is replaced."""

    text: str
    line: int | None
    verbatim: bool = False


class Cell(Struct, frozen=True):
    """Code to run and show.

    `source` is the code with its option lines. `number` counts cells from 1. `code_line` is the document's line of the
    first line of `code`, None in a notebook, which has none. `shown` has the options of formats with defaults of their
    own: they say what is shown there, while `options` say what runs, once for all formats.
    """

    code: str
    source: str
    options: Options
    number: int
    code_line: int | None
    shown: Mapping[str, Options] = field(default_factory=dict)


Block = Markdown | Cell


class Document(Struct, frozen=True):
    """What was read: `front` is the front matter with its fences, `metadata` what it says."""

    front: str
    metadata: Mapping[str, object]
    blocks: tuple[Block, ...]
    warnings: tuple[Problem, ...] = field(default=())

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that run."""
        return tuple(block for block in self.blocks if isinstance(block, Cell) and block.options.evaluate)

    def settings(self, names: Collection[str]) -> dict[str, object]:
        """What the front matter says at its top and under the formats of these names, the latter winning."""
        formats = self.metadata.get("format")
        chosen = [formats[name] for name in formats if name in names] if isinstance(formats, Mapping) else []
        places = [self.metadata, *(place for place in chosen if isinstance(place, Mapping))]
        return {str(key): value for place in places for key, value in place.items()}
