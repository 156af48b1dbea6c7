"""What may be shown of a line: without credentials, printable, and short."""

from __future__ import annotations

import re

EXCERPT_CHARACTERS = 200

# The first pattern takes a password with an unescaped `/` along. Hiding too much of an address is the safe side.
_CREDENTIALS = (
    (re.compile(r"//[^\s/@:]*:[^\s@]*@"), "//***@"),
    (re.compile(r"//[^\s/]*@"), "//***@"),
    (re.compile(r"(?<![^\s/'\"])[^\s/@:'\"]+:(?!//)[^\s@]+@"), "***@"),
    (re.compile(r"([?&#;][\w.-]*(?:token|passw|secret|key|auth|sig)[\w.-]*=)[^\s&#;]+", re.IGNORECASE), r"\1***"),
)


def without_credentials(text: str) -> str:
    """The text with `user:password@`, user names and secret-looking parameters of addresses replaced by `***`."""
    for pattern, replacement in _CREDENTIALS:
        text = pattern.sub(replacement, text)
    return text


def shown(text: str, most: int = EXCERPT_CHARACTERS) -> str:
    """The text for an excerpt or a message: at most `most` characters, none of them unprintable, no credentials."""
    printable = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)
    safe = without_credentials(printable)
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"
