"""One range of bytes of a file (RFC 9110 §14): what installers ask for to read the end of a wheel."""

from __future__ import annotations

import re

from msgspec import Struct

_ONE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class Span(Struct, frozen=True):
    """Bytes from `start` up to and without `end`."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """The header that says which part of how much it is."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


class Unsatisfiable(Exception):
    """The range lies outside of the file."""


def span(header: str | None, size: int) -> Span | None:
    """The range that is asked for, None where all of it is to be sent: also for several ranges or one that is
    malformed, as the standard allows. Raises Unsatisfiable."""
    found = None if header is None else _ONE.fullmatch(header.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = int(found[2])
        if length == 0 or size == 0:
            raise Unsatisfiable
        return Span(max(0, size - length), size)
    start, end = int(found[1]), int(found[2]) + 1 if found[2] else None
    if end is not None and end <= start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, size if end is None else min(end, size))
