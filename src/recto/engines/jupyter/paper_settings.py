"""Settings of a PDF that authors write in LaTeX's words, in those of typst. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SIZES = {"letter": "us-letter", "legal": "us-legal", "executive": "us-executive"}


def paper_settings(settings: Mapping[str, object]) -> tuple[str, ...]:
    """pandoc's options for what differs: `papersize: letter`, `fontsize: 12`."""
    changed: dict[str, str] = {}
    size = str(settings.get("papersize", "")).lower().removesuffix("paper")
    if size in _SIZES or re.fullmatch(r"[ab]\d\d?", size):
        changed["papersize"] = _SIZES.get(size, size if size.startswith("a") else f"iso-{size}")
    points = settings.get("fontsize")
    if isinstance(points, (int, float)) and not isinstance(points, bool):
        changed["fontsize"] = f"{points}pt"
    return tuple(part for name, value in changed.items() for part in ("--variable", f"{name}={value}"))
