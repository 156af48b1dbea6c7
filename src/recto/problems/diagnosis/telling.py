"""The lines of a log that tell most."""

from __future__ import annotations

import re

_ERROR_LIKE = re.compile(r"error|failed|fatal|cannot|could not|exception|traceback|denied|not found", re.IGNORECASE)


def lines_around(text: str, start: int, end: int) -> str:
    """The whole lines that hold the characters from `start` to `end`, with two lines before and one after."""
    first = start
    for _ in range(3):
        first = text.rfind("\n", 0, max(first, 0))
    last = max(start, end - 1)
    for _ in range(2):
        last = text.find("\n", last + 1) if last >= 0 else last
    return text[max(first + 1, 0) : len(text) if last < 0 else last]


def most_telling(text: str) -> str:
    """The last lines that look like an error, or the last lines at all; at most twelve."""
    lines = [line for line in text[-200_000:].split("\n") if line.strip()]
    alike = [line for line in lines if _ERROR_LIKE.search(line)]
    return "\n".join((alike or lines)[-12:])
