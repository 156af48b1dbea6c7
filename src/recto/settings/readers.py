"""What the text of a setting means; each reader raises ValueError with what was expected."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMGT]?B|bytes)?")
_UNITS = {None: 1, "bytes": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_size(text: str) -> int:
    """Bytes of an amount such as `20 GB` (decimal units) or a plain number; raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("expected a size such as `20 GB`")
    return int(float(match[1]) * _UNITS[match[2]])


def parse_seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError("expected a number of seconds") from error
    if not 0 < value < 1e6:
        raise ValueError("expected a number of seconds above 0")
    return value


def parse_days(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError("expected a number of days") from error
    if not 0 < value < 1e5:
        raise ValueError("expected a number of days above 0")
    return value


def parse_count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("expected a whole number")
    return int(text)


def parse_switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("expected `on` or `off`")
    return text == "on"


def parse_path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("expected a path")
    return Path(text).expanduser().absolute()


def parse_mechanism(text: str) -> str:
    if text not in ("none", "bubblewrap", "landlock"):
        raise ValueError("expected `none`, `bubblewrap` or `landlock`")
    return text


def parse_builds(text: str) -> str:
    if text not in ("off", "trusted"):
        raise ValueError("expected `off` or `trusted`")
    return text


def parse_paths(text: str) -> tuple[Path, ...]:
    return tuple(parse_path(name) for name in text.split(":") if name)


def parse_names(text: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[ ,]+", text.strip()) if name)


def parse_text(text: str) -> str:
    if not text:
        raise ValueError("expected a text")
    return text


def parse_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        known = False
    if not known:
        raise ValueError("expected an address that begins with `https://` or `http://`")
    return text


def parse_addresses(text: str) -> tuple[str, ...]:
    return tuple(map(parse_address, text.split()))


def parse_alias(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError("expected a short name of letters, digits, `.`, `_` and `-`")
    return text
