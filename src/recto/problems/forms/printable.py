"""Text that starts nothing where it is printed: control characters are written out, line ends are the caller's."""

from __future__ import annotations

import re

# C0 and C1 without the tab; the line and paragraph separators; marks and joiners that show nothing; overrides of the
# writing direction, with which a line can read as something else; halves of surrogate pairs, which no encoding takes.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# Ends of lines, for a terminal and for the engines that read what we write.
_LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def one_line(text: str) -> str:
    """The text on one line: runs of white space are one space, other control characters are `\\x1b` and the like."""
    return _written_out(" ".join(_LINE_ENDS.sub(" ", text).split()))


def printable_lines(text: str) -> list[str]:
    """The lines of the text, without those that show nothing, control characters written out."""
    return [_written_out(line).rstrip() for line in _LINE_ENDS.split(text) if line.strip()]


def _written_out(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)
