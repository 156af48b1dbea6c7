"""Log text made fit for matching: decoded, bounded, freed of colour codes, and lines that a console broke rejoined."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

# A log may be written by the code it is about, so what is read of it is bounded: its start says what was asked for,
# its end what went wrong.
HEAD_CHARACTERS = 512 * 1024
TAIL_CHARACTERS = 1536 * 1024
HEAD_LINES = 20_000
TAIL_LINES = 60_000
LINE_CHARACTERS = 2000

# No console is wider; a longer line was not broken by one.
CONSOLE_CHARACTERS = 240

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_ESCAPES = re.compile(r"\x1b\[[0-9:;<=>?]{0,40}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b\n]{0,400}(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")
# The step and clock that a container build, a runner of a forge or pip's own log file write before each line.
_STEP = re.compile(r"^(?:(?:#\d{1,4} )?\d{1,6}\.\d{1,3} |\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{3,9}Z? )", re.MULTILINE)
_STEP_START = re.compile(r"#\d{1,4} |\d{1,6}\.\d{1,3} |\d{4}-\d\d-\d\dT")
_BLANKS = re.compile(r"\n{4,}")

# The frames that uv and pip draw, as they are and as UTF-8 read in code page 437 or 1252.
_FRAMES = re.compile(r"╰─>|[├╰│└─▶╭╮╯×]|Γöé|Γò░ΓöÇΓû╢|Γò░ΓöÇ>|Γö£ΓöÇΓû╢|├ù|â•°â”€|â”‚|Ã—")


def decode(data: bytes) -> str:
    """The text of these bytes: by byte order mark, else UTF-8, else line by line UTF-8 or code page 1252; never fails.

    A log that several programs wrote may have lines in several encodings.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\n".join(map(_decoded_line, data.split(b"\n")))


def _decoded_line(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def decode_ends(head: bytes, tail: bytes) -> str:
    """The text of a log's start and, where there is a `tail`, of its end: whole lines of both.

    `tail` begins at an even number of bytes from the start of the log, which UTF-16 needs.
    """
    if not tail:
        return decode(head)
    if head.startswith(_UTF_16):
        return "\n".join([decode(head), decode(head[:2] + tail)])
    head = head[: head.rfind(b"\n") + 1] or head
    return "\n".join([decode(head), decode(tail[tail.find(b"\n") + 1 :])])


def bounded(text: str) -> str:
    """The text, or its head and tail where it is longer than both, in characters or in lines."""
    if len(text) > HEAD_CHARACTERS + TAIL_CHARACTERS:
        text = f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"
    lines = text.split("\n")
    if len(lines) <= HEAD_LINES + TAIL_LINES:
        return text
    return "\n".join([*lines[:HEAD_LINES], *lines[-TAIL_LINES:]])


def clean(text: str) -> str:
    """The text without colour codes, progress-bar leftovers, frames and console wrapping; lines end in a line feed."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    text = "\n".join(_last_state(line) for line in text.split("\n"))
    text = _CONTROLS.sub("", text)
    text = _STEP.sub("", rejoined(text))
    text = _FRAMES.sub(" ", text)
    return _BLANKS.sub("\n\n\n", text)


def _last_state(line: str) -> str:
    """What a terminal would show of a line that a progress bar rewrote, cut to a bounded length."""
    if "\r" in line:
        line = next((part for part in reversed(line.split("\r")) if part.strip()), "")
    if len(line) > LINE_CHARACTERS:
        half = LINE_CHARACTERS // 2
        return f"{line[:half]} … {line[-half:]}"
    return line


def rejoined(text: str) -> str:
    """The text with lines that a Windows console broke put together again.

    Such a console breaks after a space, which stays at the line's end, or inside a word at exactly its width; what
    follows begins in the first column. Text without signs of that is returned as it is.
    """
    lines = text.split("\n")
    widths = _console_widths(lines)
    if widths is None:
        return text
    pieces: list[str] = []
    length = 0
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        pieces.append(line)
        length += len(line)
        broken = _broken_at_space(line) or len(line) in widths
        if broken and length < LINE_CHARACTERS and _continues(following):
            continue
        pieces.append("\n")
        length = 0
    return "".join(pieces[:-1])


def _continues(following: str) -> bool:
    return bool(following) and not following[0].isspace() and _STEP_START.match(following) is None


def _broken_at_space(line: str) -> bool:
    return line.endswith(" ") and not line.endswith("  ") and bool(line.strip()) and len(line) <= CONSOLE_CHARACTERS


def _console_widths(lines: list[str]) -> frozenset[int] | None:
    """The lengths at which words were broken, None for text that no console wrapped."""
    pairs = list(pairwise(lines))
    spaced = [len(line) for line, following in pairs if _broken_at_space(line) and _continues(following)]
    if len(spaced) < 2:
        return None
    least = max(spaced) - 2
    whole = Counter(
        len(line)
        for line, following in pairs
        if not line.endswith(" ") and least <= len(line) <= CONSOLE_CHARACTERS and _continues(following)
    )
    width, _ = max(whole.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return frozenset(length for length, count in whole.items() if count >= 2 and abs(length - width) <= 1)
