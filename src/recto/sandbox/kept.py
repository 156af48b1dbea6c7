"""What is kept of a stream that may be endless: its first and its last half, and its lines as they come."""

from __future__ import annotations

from recto.sandbox.base import OnLine

# A line beyond this is handed on cut: a progress line has no use for more, and a stream without newlines must not
# gather in memory.
LINE_BYTES = 65_536


class Kept:
    """The first and the last half of at most `limit` bytes, with a line between that says how much is missing."""

    def __init__(self, limit: int) -> None:
        self._head_room = limit // 2
        self._tail_room = limit - self._head_room
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes of the stream."""
        missing = self._head_room - len(self._head)
        self._head += chunk[:missing]
        self._tail += chunk[missing:]
        # Trimmed at twice its room, so that the copying is spread over many chunks.
        if len(self._tail) > 2 * self._tail_room:
            self._trim()

    def content(self) -> bytes:
        """What was kept."""
        self._trim()
        between = b"\n[... %d bytes left out ...]\n" % self._dropped if self._dropped else b""
        return bytes(self._head) + between + bytes(self._tail)

    def _trim(self) -> None:
        excess = len(self._tail) - self._tail_room
        if excess > 0:
            del self._tail[:excess]
            self._dropped += excess


class Lines:
    """Cuts a stream into lines and hands each to `on_line`, without its newline."""

    def __init__(self, on_line: OnLine) -> None:
        self._on_line = on_line
        self._partial = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes of the stream."""
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._add(part)
            self._flush()
        self._add(rest)

    def close(self) -> None:
        """Hands on a last line that has no newline."""
        if self._partial:
            self._flush()

    def _add(self, part: bytes) -> None:
        self._partial += part[: LINE_BYTES - len(self._partial)]

    def _flush(self) -> None:
        line = bytes(self._partial)
        self._partial.clear()
        self._on_line(line)
