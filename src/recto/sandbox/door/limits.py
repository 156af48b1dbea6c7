"""How much of us one build may use through its door."""

from __future__ import annotations

from msgspec import Struct


class DoorLimits(Struct, frozen=True):
    """At most so many connections at once, bytes of a head, and seconds of waiting.

    uv opens 50 connections at once and pip one for each host. Two descriptors for each of 256 fit the usual limit of
    1,024. An index may take a minute to make a page that it was never asked for: devpi does.
    """

    connections: int = 256
    head_bytes: int = 16_384
    head_seconds: float = 20.0
    # For looking up a name, connecting, and the answer of a proxy on the way.
    connect_seconds: float = 30.0
    # Until the index says something, and then between two chunks in either direction.
    first_byte_seconds: float = 180.0
    idle_seconds: float = 300.0
