"""A cell's options: what authors write after `#|` or under `execute:`, as one checked value (Quarto's names)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from msgspec import Struct

from recto.engines.jupyter.yaml_text import read_mapping

# Quarto's default for HTML is 7 by 5 inches; a little flatter leaves two lines more of text on a page.
WIDTH_INCHES = 7.0
HEIGHT_INCHES = 4.5


class Options(Struct, frozen=True):
    """What happens to one cell and to what it shows."""

    evaluate: bool = True
    echo: bool | Literal["fenced"] = True
    output: bool | Literal["asis"] = True
    warning: bool = True
    error: bool = False
    include: bool = True
    label: str = ""
    captions: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    table_caption: str = ""
    width_inches: float = WIDTH_INCHES
    height_inches: float = HEIGHT_INCHES
    fold: bool | Literal["show"] = False
    fold_summary: str = "Code"


def options(values: Mapping[str, object]) -> Options:
    """The options that these keys and values mean; ValueError, in words, for a value that its key cannot have.

    Keys that are not known are left alone: documents carry options of other tools.
    """
    known = {_FIELDS[key][0]: _FIELDS[key][1](key, value) for key, value in values.items() if key in _FIELDS}
    return Options(**known)


def split_options(code: str) -> tuple[str, int, dict[str, object]]:
    """The code below a cell's option lines, how many lines these are, and what they say; ValueError as `options`."""
    lines = code.splitlines(keepends=True)
    count = next((index for index, line in enumerate(lines) if not line.startswith("#|")), len(lines))
    text = "".join(line[2:].removeprefix(" ") for line in lines[:count])
    return "".join(lines[count:]), count, read_mapping(text)


def defaults(metadata: Mapping[str, object], names: Collection[str] | None = None) -> dict[str, object]:
    """What the front matter says for all cells: at its top, under `execute:` and under formats, the last wins.

    The formats are those called `names`, or all of them.
    """
    formats = metadata.get("format")
    chosen = formats if isinstance(formats, Mapping) else {}
    places = [metadata, metadata.get("execute")]
    places += [value for name, value in chosen.items() if names is None or name in names]
    merged = {key: value for place in places if isinstance(place, Mapping) for key, value in place.items()}
    shared = {str(key): value for key, value in merged.items() if key in _SHARED}
    if merged.get("enabled") is False:
        shared["eval"] = False
    return shared


def _truth(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"`{key}` is either true or false")
    return value


def _truth_or(word: str) -> Callable[[str, object], bool | str]:
    def convert(key: str, value: object) -> bool | str:
        if value != word and not isinstance(value, bool):
            raise ValueError(f"`{key}` is true, false or {word}")
        return value if isinstance(value, bool) else word

    return convert


def _text(key: str, value: object) -> str:
    if isinstance(value, (Mapping, list)) or value is None:
        raise ValueError(f"`{key}` is a text")
    return str(value)


def _texts(key: str, value: object) -> tuple[str, ...]:
    return tuple(_text(key, item) for item in (value if isinstance(value, list) else [value]))


def _inches(key: str, value: object) -> float:
    # Upper limit: a figure of 50 by 50 inches has 100 million pixels at the density that pages use.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 50:
        raise ValueError(f"`{key}` is a number of inches, at most 50")
    return float(value)


_FIELDS: dict[str, tuple[str, Callable[[str, object], Any]]] = {
    "eval": ("evaluate", _truth),
    "echo": ("echo", _truth_or("fenced")),
    "output": ("output", _truth_or("asis")),
    "warning": ("warning", _truth),
    "error": ("error", _truth),
    "include": ("include", _truth),
    "label": ("label", _text),
    "fig-cap": ("captions", _texts),
    "fig-alt": ("alternatives", _texts),
    "tbl-cap": ("table_caption", _text),
    "fig-width": ("width_inches", _inches),
    "fig-height": ("height_inches", _inches),
    "code-fold": ("fold", _truth_or("show")),
    "code-summary": ("fold_summary", _text),
}
_SHARED = {*_FIELDS, "enabled"} - {"label", "fig-cap", "fig-alt", "tbl-cap"}
