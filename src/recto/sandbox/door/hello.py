"""The name that a TLS client asks for in its first words (RFC 8446, 4.1.2; RFC 6066, 3).

Hosts of an index are often those of a network that serves thousands of sites at one address: a tunnel to the index's
address leads to each of them, for whoever names another one here.
"""

from __future__ import annotations

from recto.sandbox.door.heads import RefusedError

RECORD_HEAD = 5
# What a record may hold (RFC 8446, 5.1). The first words of usual clients have 0.5 to 2 kB.
RECORD_BYTES_MAX = 16_384

_HANDSHAKE, _CLIENT_HELLO = 22, 1
_SERVER_NAME, _HOST_NAME = 0, 0
# A second name, which only the server can read (RFC 9849).
_ENCRYPTED_HELLO = 0xFE0D
_VERSION_AND_RANDOM = 34


def record_bytes(head: bytes) -> int:
    """How long the record is that begins with these five bytes, head included; raises RefusedError with 403."""
    length = int.from_bytes(head[3:5])
    if head[0] != _HANDSHAKE or head[1] != 3 or not 0 < length <= RECORD_BYTES_MAX:
        raise RefusedError(403, "A tunnel carries TLS.")
    return RECORD_HEAD + length


def check_name(record: bytes, host: str) -> None:
    """Returns where the first record of a client asks for exactly this host; raises RefusedError with 403."""
    try:
        extensions = _extensions(_Bytes(record[RECORD_HEAD:]))
        names = [_server_name(_Bytes(data)) for kind, data in extensions if kind == _SERVER_NAME]
    except EOFError:
        raise RefusedError(403, "A tunnel begins with what a TLS client says first.") from None
    if [name.lower() for name in names] != [host.encode()]:
        raise RefusedError(403, f"A tunnel to `{host}` asks for that name.")
    if any(kind == _ENCRYPTED_HELLO for kind, _ in extensions):
        raise RefusedError(403, "A tunnel asks for one name, which can be read.")


def _extensions(record: _Bytes) -> list[tuple[int, bytes]]:
    if record.number(1) != _CLIENT_HELLO:
        raise EOFError
    hello = _Bytes(record.sized(3))
    hello.take(_VERSION_AND_RANDOM)
    for width in (1, 2, 1):
        # The session, the ciphers and the compressions.
        hello.sized(width)
    extensions = _Bytes(hello.sized(2))
    found = []
    while extensions.left:
        kind = extensions.number(2)
        found.append((kind, extensions.sized(2)))
    return found


def _server_name(data: _Bytes) -> bytes:
    """The one name of the list."""
    names = _Bytes(data.sized(2))
    kind, name = names.number(1), names.sized(2)
    if kind != _HOST_NAME or names.left or data.left:
        raise EOFError
    return name


class _Bytes:
    """Bytes that are taken from the front; raises EOFError where there are too few."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, count: int) -> bytes:
        if len(self.left) < count:
            raise EOFError
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width))

    def sized(self, width: int) -> bytes:
        return self.take(self.number(width))
