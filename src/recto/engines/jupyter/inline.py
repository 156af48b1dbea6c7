"""Values in the middle of a sentence: the code spans that begin with `{python}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_RUN = re.compile(r"`+")
_EXPRESSION = re.compile(r"\s*\{python\}\s+(.+)", re.DOTALL)
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+!|~^$@\"'])|(?<=\d)(\.)(?=\s|$)")


class Inline(Struct, frozen=True):
    """One expression and where its code span stands in the text."""

    expression: str
    start: int
    end: int


def expressions(text: str) -> tuple[Inline, ...]:
    """The expressions in this text, in order (code spans as in CommonMark 0.31, section 6.1)."""
    return tuple(
        Inline(" ".join(match[1].split()), start, end)
        for start, end, ticks, content in _code_spans(text)
        if ticks == 1 and (match := _EXPRESSION.fullmatch(content))
    )


def replaced(text: str, values: Sequence[str]) -> str:
    """The text with each of its expressions replaced by its value, which is Markdown."""
    parts: list[str] = []
    at = 0
    for inline, value in zip(expressions(text), values, strict=True):
        parts += [text[at : inline.start], value]
        at = inline.end
    return "".join([*parts, text[at:]])


def escaped(value: str) -> str:
    """Markdown that shows the value as it is."""
    return _MARKS.sub(r"\\\g<0>", value)


def _code_spans(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Start, end, number of backticks and content of each code span; a span does not reach past an empty line."""
    for start, end in _paragraphs(text):
        runs = list(_RUN.finditer(text, start, end))
        at = 0
        while at < len(runs):
            ticks = len(runs[at][0])
            closing = next((i for i in range(at + 1, len(runs)) if len(runs[i][0]) == ticks), None)
            if closing is None or text[: runs[at].start()].endswith("\\"):
                at += 1
                continue
            yield runs[at].start(), runs[closing].end(), ticks, text[runs[at].end() : runs[closing].start()]
            at = closing + 1


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for gap in _PARAGRAPH.finditer(text):
        yield at, gap.start()
        at = gap.end()
    yield at, len(text)
