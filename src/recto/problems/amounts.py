"""Amounts in words, the same everywhere."""

from __future__ import annotations

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Bytes in decimal units with at most one place: `0 bytes`, `1.5 MB`, `3 GB`."""
    amount, unit = float(count), 0
    while round(amount, 1) >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f}".removesuffix(".0") + f" {_UNITS[unit]}"


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 package`, `2 packages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
