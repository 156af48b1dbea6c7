"""A place on the network as a build may ask for it: host, port, and whether it is spoken to by TLS."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from msgspec import Struct

_PORTS = {"https": 443, "http": 80}
# Names of letters, digits, hyphens and dots (RFC 952, 1123; the underscore is met in practice), or an IPv6 address in
# brackets. Nothing else: neither user names nor escapes nor a zone.
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d+))?")
_PORT = re.compile(r"[1-9]\d{0,4}")
_PORT_MAX = 65_535


class Destination(Struct, frozen=True, order=True):
    """One host and port; the host is in lower case, an IPv6 address without its brackets."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """`host:port`, as it stands in requests."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def numeric(self) -> bool:
        """Whether the host is an address, also in the forms that only inet_aton(3) reads, such as `127.1` or `0x7f.1`.

        The last label of a name is never a number (URL Standard, ends-in-a-number checker).
        """
        last = self.host.rstrip(".").rpartition(".")[2]
        return ":" in self.host or last.isdecimal() or last.startswith("0x")


def of_authority(text: str, *, tls: bool, default_port: int | None = None) -> Destination | None:
    """What `host:port` names, None where it is anything but that; without a default, the port must be there."""
    found = _AUTHORITY.fullmatch(text)
    if found is None or not text.isascii():
        return None
    port = _port(found["port"], default_port)
    host = found["host"].lower()
    if port is None:
        return None
    if not host.startswith("["):
        return Destination(host, port, tls)
    try:
        return Destination(str(ipaddress.IPv6Address(host[1:-1])), port, tls)
    except ValueError:
        return None


def of_url(url: str) -> Destination | None:
    """Where an `http` or `https` address leads, its user and password left out; None where it leads nowhere."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    default = _PORTS.get(parts.scheme)
    if default is None:
        return None
    return of_authority(parts.netloc.rpartition("@")[2], tls=parts.scheme == "https", default_port=default)


def _port(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    return int(text) if _PORT.fullmatch(text) and int(text) <= _PORT_MAX else None
