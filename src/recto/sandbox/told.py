"""Paths as processes tell them that a stranger may speak through."""

from __future__ import annotations

import os
from pathlib import Path


def told_path(text: str) -> Path:
    """The path that a text names; ValueError for what no system call takes: nothing, a NUL, half a character."""
    if "\0" in text or not os.fsencode(text):
        raise ValueError(text)
    return Path(text)
