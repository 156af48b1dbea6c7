"""The head of a request to the door, read so that no two readers of it can understand two things.

RFC 9112. What a lenient server would mend is refused: bare line feeds, folded lines, a blank before a colon, a second
Host, a length of a body that a GET does not have.
"""

from __future__ import annotations

import re

from msgspec import Struct

from recto.sandbox.door.destinations import Destination, of_authority

END = b"\r\n\r\n"

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21-\x7e]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")
_ABSOLUTE = re.compile(r"(?i:http)://([^/?]*)([/?][^#\\]*)?")

# Fields of one connection (RFC 9110, 7.6.1), those that frame bodies, and those that we write ourselves.
_OURS = frozenset(
    b"host connection keep-alive proxy-connection proxy-authorization proxy-authenticate te trailer upgrade "
    b"transfer-encoding content-length expect".split()
)


class Head(Struct, frozen=True):
    """A request that can be understood in one way: a tunnel, or a file of an index that is spoken to without TLS.

    `path` and `fields` are what goes on to the index; both are empty for a tunnel.
    """

    method: str
    destination: Destination
    path: str = ""
    fields: tuple[bytes, ...] = ()


class RefusedError(Exception):
    """The request is answered with a status and a sentence, and nothing else happens."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        self.sentence = sentence
        super().__init__(sentence)


def parsed(head: bytes) -> Head:
    """The request whose head this is, without its last blank line; raises RefusedError with 400 or 405."""
    first, *rest = head.split(b"\r\n")
    found = _LINE.fullmatch(first)
    if found is None:
        raise RefusedError(400, "The first line is not that of a request.")
    fields = [_field(line) for line in rest]
    method, target = found[1].decode(), found[2].decode()
    if method == "CONNECT":
        destination = of_authority(target, tls=True)
        if destination is None:
            raise RefusedError(400, "CONNECT takes a host and a port, `host:port`, and nothing else.")
        _check_host(fields, destination)
        return Head(method, destination)
    return _plain(method, target, fields)


def _plain(method: str, target: str, fields: list[tuple[bytes, bytes]]) -> Head:
    found = _ABSOLUTE.fullmatch(target)
    destination = found and of_authority(found[1], tls=False, default_port=80)
    if found is None or destination is None:
        raise RefusedError(400, "The address is not one that begins with `http://` and a host.")
    if method not in ("GET", "HEAD"):
        raise RefusedError(405, "Files of an index are read, by GET and HEAD.")
    _check_host(fields, destination)
    lengths = [value for name, value in fields if name == b"content-length"]
    if any(value != b"0" for value in lengths) or any(name == b"transfer-encoding" for name, _ in fields):
        raise RefusedError(400, f"A {method} has no body.")
    named = {one.strip().lower() for name, value in fields if name == b"connection" for one in value.split(b",")}
    kept = tuple(name + b": " + value for name, value in fields if name not in _OURS and name not in named)
    path = found[2] or "/"
    return Head(method, destination, path if path.startswith("/") else "/" + path, kept)


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise RefusedError(400, "A line of the head is not `name: value`.")
    return found[1].lower(), found[2]


def _check_host(fields: list[tuple[bytes, bytes]], destination: Destination) -> None:
    """Host may be missing (HTTP/1.0), and may not name another place than the first line does."""
    hosts = [value for name, value in fields if name == b"host"]
    if not hosts:
        return
    said = of_authority(hosts[0].decode("latin-1"), tls=destination.tls, default_port=destination.port)
    if len(hosts) > 1 or said != destination:
        raise RefusedError(400, "The Host of the request is not that of its first line.")
