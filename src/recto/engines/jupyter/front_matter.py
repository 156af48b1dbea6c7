"""The front matter of a text: the YAML between `---` at its start."""

from __future__ import annotations

import re
from typing import NamedTuple

from recto.engines.jupyter.fences import lines_of

_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"(?:---|\.\.\.)[ \t]*(?:\r?\n)?")


class Parts(NamedTuple):
    """`front` with its fences, `yaml` without them, the `rest` of the text; `lines` is how many lines `front` has."""

    front: str
    yaml: str
    rest: str
    lines: int


def split_front_matter(text: str) -> Parts:
    """The text in its parts; `front` is empty where it does not begin with front matter. Loses no character."""
    lines = lines_of(text)
    # A rule is followed by an empty line, metadata is not (pandoc's own rule).
    if len(lines) > 1 and _OPENING.fullmatch(lines[0]) and lines[1].strip():
        for index in range(1, len(lines)):
            if _CLOSING.fullmatch(lines[index]):
                end = index + 1
                return Parts("".join(lines[:end]), "".join(lines[1:index]), "".join(lines[end:]), end)
    return Parts("", "", text, 0)
