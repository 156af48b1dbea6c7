"""For which Pythons and machines there are wheels, as uv's hints tell it."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from recto.problems.diagnosis import clean

# The forms of uv 0.13 (`PubGrubHint` in its `report.rs`); spaces may be the ends of lines.
_TAGS = re.compile(
    r"[Ww]heels\s(?:are\savailable\s)?for\s`([\w.-]{1,120})`\s\(v([^)\s]{1,60})\)\s"
    r"(?:with\sthe\sfollowing\sPython\s(?:ABI|implementation)\stags?|on\sthe\sfollowing\splatforms?):"
    r"\s((?:`[\w.]{1,80}`(?:,\s)?){1,80})"
)
_CPYTHON = re.compile(r"cp(\d)(\d{1,2})m?")
# More platforms than these tell nothing more.
_LISTED = 6


def wheels_told(said: str, package: str) -> str:
    """A sentence on which wheels of the package there are, empty where uv does not tell."""
    for name, version, listed in _TAGS.findall(clean(said)):
        if canonicalize_name(name) == canonicalize_name(package):
            tags = re.findall(r"`([^`]+)`", listed)
            return f"Wheels of {name} {version} are there for {', '.join(_worded(tags)[:_LISTED])} only."
    return ""


def _worded(tags: list[str]) -> list[str]:
    """The tags as people say them where all are Pythons, else as they are."""
    pythons = [_CPYTHON.fullmatch(tag) for tag in tags]
    found = [f"Python {python[1]}.{python[2]}" for python in pythons if python]
    return found if len(found) == len(tags) else [f"`{tag}`" for tag in tags]
