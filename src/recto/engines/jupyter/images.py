"""The images of a document tree, put where each kind of output wants them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from recto.engines.jupyter.assembly import Target
from recto.engines.jupyter.media import Image, ImageMissing, ImageRemote, Media
from recto.engines.jupyter.tree import Element, changed, words
from recto.problems import Problem, Source, problem

# A4 with the margins of our paper, and Word's own page: about 16 cm, at 96 pixels an inch.
PAPER_PIXELS = 600


class Images(Struct):
    """Places the images of one tree for `target`; `missing` gathers those that could not be had.

    `line_of` tells the document's line on which an address stands.
    """

    media: Media
    target: Target
    directory: Path
    file: str
    line_of: Callable[[str], int | None]
    missing: list[Problem] = field(default_factory=list)
    _count: int = 0

    def placed(self, blocks: Any) -> Any:
        """The blocks with addresses that pandoc can use without opening a file of the project."""
        return changed(blocks, self._change)

    def _change(self, element: Element) -> Element | list[Element] | None:
        if element["t"] != "Image":
            return None
        settings, alternative, (address, title) = element["c"]
        try:
            image = self.media.image(address)
        except ImageRemote:
            return self._remote(alternative, address)
        except ImageMissing as error:
            found = problem("image-missing", path=address, reason=error, source=self._where(address))
            self.missing.append(found)
            return alternative or words(f"[{address}]")
        return {"t": "Image", "c": [self._sized(settings), alternative, [self._address(image), title]]}

    def _remote(self, alternative: list[Element], address: str) -> Element | None:
        """A page loads the image itself when it is read; what is printed gets a link."""
        if self.target == "html":
            return None
        found = problem("image-remote", path=address, format=self.target, source=self._where(address))
        self.missing.append(found)
        return {"t": "Link", "c": [["", [], []], alternative or words(address), [address, ""]]}

    def _address(self, image: Image) -> str:
        if self.target != "pdf":
            return image.data_url
        self._count += 1
        name = f"image-{self._count}{image.suffix}"
        (self.directory / name).write_bytes(image.content)
        return name

    def _sized(self, settings: list[Any]) -> list[Any]:
        if self.target == "html":
            return settings
        name, classes, pairs = settings
        return [name, classes, [[key, _on_paper(value) if key == "width" else value] for key, value in pairs]]

    def _where(self, address: str) -> Source:
        return Source(self.file, self.line_of(address))


def _on_paper(width: str) -> str:
    number = width.removesuffix("px")
    return f"{PAPER_PIXELS}px" if number.isdecimal() and int(number) > PAPER_PIXELS else width
