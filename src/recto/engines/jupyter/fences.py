"""Where the fenced code blocks of a Markdown text begin and end (CommonMark 0.31, section 4.5). Loses no character."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

# A backtick fence may have no backtick in its info string, a tilde fence may.
_OPENING = re.compile(r" {0,3}(?:(?P<ticks>`{3,})(?P<info>[^`]*)|(?P<tildes>~{3,})(?P<words>.*))")
_CELL = re.compile(r"\{([A-Za-z][A-Za-z0-9_+-]*)(?:[ ,][^}]*)?\}")


class Prose(Struct, frozen=True):
    """Text outside of fences; `line` is its first line, from 1."""

    source: str
    line: int


class Fenced(Struct, frozen=True):
    """A fenced block: `source` with its fences, `body` without; `closed` is False where the text ends first."""

    source: str
    line: int
    info: str
    body: str
    closed: bool

    @property
    def language(self) -> str | None:
        """The language in braces that makes the block a cell (`{python}`), None for code that is only shown."""
        match = _CELL.fullmatch(self.info)
        return match[1].lower() if match else None


Span = Prose | Fenced


def lines_of(text: str) -> list[str]:
    """The lines with their line feeds; only those end a line, unlike in `str.splitlines`."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def spans(text: str, line: int = 1) -> Iterator[Span]:
    """The text cut where fenced blocks begin and end, in order; the sources together are the text."""
    lines = lines_of(text)
    at = start = 0
    while at < len(lines):
        opening = _OPENING.fullmatch(lines[at].rstrip())
        if opening is None:
            at += 1
            continue
        if at > start:
            yield Prose("".join(lines[start:at]), line + start)
        end, closed = _end(lines, at, opening["ticks"] or opening["tildes"])
        body = "".join(lines[at + 1 : end - 1 if closed else end])
        info = (opening["info"] or opening["words"] or "").strip()
        yield Fenced("".join(lines[at:end]), line + at, info, body, closed)
        at = start = end
    if at > start:
        yield Prose("".join(lines[start:at]), line + start)


def _end(lines: list[str], opening: int, fence: str) -> tuple[int, bool]:
    """The index after the block's last line, and whether that line closes it."""
    closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*")
    for index in range(opening + 1, len(lines)):
        if closing.fullmatch(lines[index].rstrip("\r\n")):
            return index + 1, True
    return len(lines), False


def fence_for(code: str) -> str:
    """A run of backticks that is longer than any in the code, so that the code cannot end its block."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    return "`" * max(3, longest + 1)
