"""What cells gave, as values: untrusted JSON in, checked outputs out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

_ESCAPES = re.compile(r"\x1b\[[0-9:;<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Output(Struct, frozen=True):
    """One output of a cell: `text` of a stream or an error, or `data` by MIME type of what was displayed.

    `pixels` is the width that an image is meant to be shown at, 0 where nothing says so.
    """

    kind: Literal["stdout", "stderr", "display", "error"]
    text: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    pixels: int = 0


def outputs(value: object) -> tuple[Output, ...]:
    """The outputs in a list of nbformat 4 outputs, streams that follow each other joined; what is none is left out."""
    found: list[Output] = []
    for item in value if isinstance(value, list) else ():
        output = _output(item) if isinstance(item, dict) else None
        if output is None:
            continue
        if found and found[-1].kind == output.kind and output.kind in ("stdout", "stderr"):
            output = Output(output.kind, found.pop().text + output.text)
        found.append(output)
    return tuple(found)


def plain(text: str) -> str:
    """The text without colour codes, each line as a terminal shows it after progress bars rewrote it."""
    lines = _ESCAPES.sub("", text.replace("\r\n", "\n")).split("\n")
    shown = (next((part for part in reversed(line.split("\r")) if part), "") for line in lines)
    return _CONTROLS.sub("", "\n".join(shown))


def _output(item: Mapping[str, object]) -> Output | None:
    kind = item.get("output_type")
    if kind == "stream":
        name = "stderr" if item.get("name") == "stderr" else "stdout"
        return Output("stderr" if name == "stderr" else "stdout", _joined(item.get("text")))
    if kind == "error":
        return Output("error", _joined(_lines(item.get("traceback"))))
    data = item.get("data")
    if kind in ("display_data", "execute_result") and isinstance(data, dict):
        return Output(
            "display", data={str(mime): _content(value) for mime, value in data.items()}, pixels=_pixels(item)
        )
    return None


def _pixels(item: Mapping[str, object]) -> int:
    metadata = item.get("metadata")
    image = metadata.get("image/png") if isinstance(metadata, dict) else None
    width = image.get("width") if isinstance(image, dict) else None
    return width if isinstance(width, int) and 0 < width < 20_000 else 0


def _content(value: object) -> str:
    """Text as it is, lists of text joined, JSON as JSON."""
    if isinstance(value, dict):
        return json.dumps(value)
    return _joined(value)


def _lines(value: object) -> object:
    return [f"{line}\n" for line in value] if isinstance(value, list) else value


def _joined(value: object) -> str:
    return "".join(str(part) for part in value) if isinstance(value, list) else "" if value is None else str(value)
