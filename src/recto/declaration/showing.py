"""What may be shown of a line: without credentials, printable, and short."""

from __future__ import annotations

import re

from recto.declaration.caps import LINE_CHARACTERS

EXCERPT_CHARACTERS = 200

# The first and the third pattern end at the last `@` of the word: a password may hold `@` and `/` unescaped. Hiding too
# much of an address is the safe side.
_CREDENTIALS = (
    (re.compile(r"//[^\s/@:]*:\S*@"), "//***@"),
    (re.compile(r"//[^\s/]*@"), "//***@"),
    (re.compile(r"(?<![^\s/'\"])[^\s/@:'\"]+:(?!//)\S+@"), "***@"),
    (re.compile(r"([?&#;][\w.-]*(?:token|passw|secret|key|auth|sig)[\w.-]*=)[^\s&#;]+", re.IGNORECASE), r"\1***"),
)


def without_credentials(text: str) -> str:
    """The text with `user:password@`, user names and secret-looking parameters of addresses replaced by `***`."""
    for pattern, replacement in _CREDENTIALS:
        text = pattern.sub(replacement, text)
    return text


def shown(text: str, most: int = EXCERPT_CHARACTERS) -> str:
    """The text for an excerpt or a message: at most `most` characters, none of them unprintable, no credentials."""
    start = text[:LINE_CHARACTERS]
    printable = "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in start)
    safe = without_credentials(printable)
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"
