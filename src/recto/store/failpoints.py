"""The steps of publishing and evicting, by name: where a test may kill the process to see what is left."""

from __future__ import annotations

from collections.abc import Callable

Failpoint = Callable[[str], None]

PUBLISHING = ("staged", "read-only", "manifest-written", "renamed", "settled", "counted")
EVICTING = ("evict-locked", "evict-writable", "evict-renamed", "evict-deleted", "evict-counted")
FAILPOINTS = (*PUBLISHING, *EVICTING)


def no_failpoint(step: str) -> None:
    """Goes on."""
