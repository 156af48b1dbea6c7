"""Bytes to text, text to lines, lines to logical lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from msgspec import Struct

_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CODING = re.compile(r"[ \t\f]*#.{0,200}?coding[:=][ \t]*([-\w.]+)")
_UTF8_NAMES = frozenset({"utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ENDED = re.compile(f"({_LINE_END.pattern})")
_COMMENT = re.compile(r"(?:^|(?<=\s))#")


class Unreadable(ValueError):
    """Why bytes are not what they should be, in words that end a sentence."""


class LogicalLine(Struct, frozen=True):
    """Physical lines that belong together: `number` of the first, `text` without comment, and the lines as written."""

    number: int
    text: str
    written: tuple[str, ...]


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 that says so; raises Unreadable for anything else.

    UTF-16 without a byte order mark is read only where it cannot be anything else: ASCII text with every other byte
    zero. A PEP 263 `coding` comment that names another encoding is refused, as is a control character.
    """
    mark, encoding = encoding_of(data)
    text = _plain(_decoded(data[len(mark) :], encoding))
    if mark:
        return text
    for line in lines_of(text[:1000])[:2]:
        named = _CODING.match(line)
        if named and named[1].lower().replace("_", "-") not in _UTF8_NAMES:
            raise Unreadable(f"it says that it is in `{named[1]}`")
    return text


def encoding_of(data: bytes) -> tuple[bytes, str]:
    """The byte order mark of a file, or nothing, and the encoding of what follows; raises Unreadable for UTF-32."""
    if data.startswith(_UTF32_MARKS):
        raise Unreadable("it is in UTF-32")
    return next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", _unmarked(data)))


def _unmarked(data: bytes) -> str:
    for encoding, zeros, letters in (("utf-16-le", data[1::2], data[0::2]), ("utf-16-be", data[0::2], data[1::2])):
        if zeros and len(zeros) == len(letters) and not any(zeros) and 0 not in letters:
            return encoding
    return "utf-8"


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"byte 0x{data[error.start]:02x} at offset {error.start:,} is not {encoding.upper()}"
        ) from None


def _plain(text: str) -> str:
    control = _CONTROL.search(text)
    if control:
        line = len(_LINE_END.findall(text, 0, control.start())) + 1
        raise Unreadable(f"it is not text: line {line:,} holds the control character 0x{ord(control[0]):02x}")
    return text


def lines_with_ends(text: str) -> list[tuple[str, str]]:
    """As `lines_of`, each with its end; the last has none."""
    pieces = _ENDED.split(text)
    return list(zip(pieces[::2], [*pieces[1::2], ""], strict=True))


def lines_of(text: str) -> list[str]:
    r"""The physical lines, ended by `\n`, `\r\n` or `\r` and nothing else; the ends are left out."""
    return _LINE_END.split(text)


def logical_lines(lines: list[str]) -> Iterator[LogicalLine]:
    r"""The logical lines that hold more than a comment; as in pip, a final `\` joins lines before comments are cut."""
    first, pieces = 1, list[str]()
    for number, line in enumerate(lines, 1):
        if not pieces:
            first = number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            pieces.append(line[:-1])
            continue
        # A comment ends a continuation; the space keeps it a comment once it is joined.
        pieces.append(f" {line}" if is_comment else line)
        yield from _logical_line(first, pieces, lines)
        pieces = []
    if pieces:
        yield from _logical_line(first, pieces, lines)


def comment_of(written: tuple[str, ...]) -> str:
    """The comment at the end of a logical line, with two spaces before it; empty where there is none."""
    pieces = [line.removesuffix("\\") for line in written[:-1]] + [f" {line}" for line in written[-1:]]
    joined = "".join(pieces)
    comment = _COMMENT.search(joined)
    return f"  {joined[comment.start() :].strip()}" if comment else ""


def _logical_line(first: int, pieces: list[str], lines: list[str]) -> Iterator[LogicalLine]:
    joined = "".join(pieces)
    comment = _COMMENT.search(joined)
    text = (joined[: comment.start()] if comment else joined).strip()
    if text:
        yield LogicalLine(first, text, tuple(lines[first - 1 : first - 1 + len(pieces)]))
