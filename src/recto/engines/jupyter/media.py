"""The images of a document: what cells drew and the files that the text names, as bytes with a type."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from msgspec import Struct

from recto.sandbox.beneath import Beneath, why

# More than any figure has; a page that embeds it would not open.
IMAGE_BYTES_MAX = 50_000_000
SUFFIXES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_SCHEME = "recto:"
_DATA = re.compile(r"data:(?P<type>[\w.+/-]+)(?:;[\w=-]+)*?(?P<base64>;base64)?,(?P<content>.*)", re.DOTALL)
_REMOTE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|(?:https?|ftp):", re.IGNORECASE)


class Image(Struct, frozen=True):
    """An image's bytes and MIME type."""

    mime: str
    content: bytes

    @property
    def suffix(self) -> str:
        """A file name's end that tells the type."""
        return next(suffix for suffix, mime in SUFFIXES.items() if mime == self.mime)

    @property
    def data_url(self) -> str:
        """The image as an address that holds it."""
        return f"data:{self.mime};base64,{base64.b64encode(self.content).decode('ascii')}"


class ImageMissing(Exception):
    """An image cannot be read; the text says why, in words."""


class ImageRemote(Exception):
    """An image is on another machine, and nothing is loaded."""


class Media:
    """The images of one render: those that cells drew, under addresses of their own, and files inside the project."""

    def __init__(self, directory: Path, project: Path) -> None:
        self._directory = directory
        self._project = project
        self._drawn: list[Image] = []

    def keep(self, mime: str, data: str) -> str | None:
        """The address of an image that a cell gave as text; None where that is no image."""
        try:
            content = data.encode() if mime == "image/svg+xml" else _decoded(data)
        except (binascii.Error, ValueError):
            return None
        self._drawn.append(Image(mime, content))
        return f"{_SCHEME}{len(self._drawn) - 1}"

    def image(self, target: str) -> Image:
        """The image at an address of a document; raises ImageMissing or ImageRemote."""
        if target.startswith(_SCHEME) and target[len(_SCHEME) :].isdecimal():
            number = int(target[len(_SCHEME) :])
            if number < len(self._drawn):
                return self._drawn[number]
        if target.startswith("data:"):
            return _from_data_url(target)
        if _REMOTE.match(target):
            raise ImageRemote(target)
        return self._from_file(target)

    def _from_file(self, target: str) -> Image:
        try:
            with Beneath(self._project.resolve()) as opened:
                found = (opened.followed(self._directory / name) for name in (target, unquote(target)))
                name = next((name for name in found if name is not None), None)
                if name is None:
                    raise ImageMissing("there is no such file in the project")
                mime = SUFFIXES.get(Path(name).suffix.lower())
                if mime is None:
                    raise ImageMissing(f"it is not of a type that is known: {', '.join(SUFFIXES)}")
                return Image(mime, opened.read(name, IMAGE_BYTES_MAX))
        except OSError as error:
            raise ImageMissing(why(error)) from error


def _decoded(text: str) -> bytes:
    """The bytes of base64, in which line ends may stand; raises binascii.Error or ValueError for anything else."""
    return base64.b64decode("".join(text.split()), validate=True)


def _from_data_url(target: str) -> Image:
    match = _DATA.fullmatch(target)
    if match is None or match["type"] not in SUFFIXES.values():
        raise ImageMissing("its `data:` address holds no image that is known")
    try:
        content = match["content"]
        return Image(match["type"], _decoded(content) if match["base64"] else unquote_to_bytes(content))
    except (binascii.Error, ValueError) as error:
        raise ImageMissing("its `data:` address is damaged") from error
