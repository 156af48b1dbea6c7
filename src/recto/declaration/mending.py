"""Fixes carried out: what a file holds after the edits of its problems."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from recto.declaration.text import decode, encoding_of, lines_with_ends
from recto.problems import Edit, Fix


class Stale(ValueError):
    """A line is not what an edit says it is: the file changed since, or another edit changes the line too."""


def mended(data: bytes | None, edits: Iterable[Edit]) -> bytes:
    """The bytes of the file after the edits, in its own encoding and with its own line ends.

    `data` None is a file that is not there. All edits number lines as they are before any of them. Raises Stale, and
    Unreadable where the bytes are no text.
    """
    data = data or b""
    mark, encoding = encoding_of(data)
    lines = lines_with_ends(decode(data))
    changes, inserted = _by_line(edits)
    end = Counter(end for _, end in lines if end).most_common(1)
    newline = end[0][0] if end else "\n"
    if max((*changes, *inserted), default=0) > len(lines) + 1:
        raise Stale("the file has fewer lines")
    written: list[str] = []
    for number, (text, ended) in enumerate((*lines, ("", "")), 1):
        for new in inserted.get(number, ()):
            if written and not written[-1].endswith(("\n", "\r")):
                written.append(newline)
            written += (new, newline)
        change = changes.get(number)
        if change is None:
            written += (text, ended)
            continue
        if number > len(lines) or change.old != text:
            raise Stale(f"line {number} is another one now")
        if change.new is not None:
            written += (change.new, ended)
    return mark + "".join(written).encode(encoding)


def compatible(fix: Fix, chosen: Iterable[Fix]) -> bool:
    """Whether the fix changes something, and no line that one of those chosen changes."""
    taken = {(edit.file, edit.line) for other in chosen for edit in other.edits}
    return bool(fix.edits) and not any((edit.file, edit.line) in taken for edit in fix.edits)


def _by_line(edits: Iterable[Edit]) -> tuple[dict[int, Edit], dict[int, Sequence[str]]]:
    """The one change of a line, and what is inserted before a line, in the order given."""
    changes: dict[int, Edit] = {}
    inserted: dict[int, list[str]] = defaultdict(list)
    for edit in edits:
        if edit.line < 1:
            raise Stale("lines count from 1")
        if edit.old is None:
            inserted[edit.line].append(edit.new or "")
        elif changes.setdefault(edit.line, edit) is not edit:
            raise Stale(f"line {edit.line} is changed twice")
    return changes, dict(inserted)
