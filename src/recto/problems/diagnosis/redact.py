"""Excerpts that may be shown: few lines, few characters, and no credentials."""

from __future__ import annotations

import re

LINES = 12
CHARACTERS = 2000

# A password may hold `/` and `@` unescaped, so what is hidden ends at the last `@` of the word. Hiding too much of an
# address is the safe side.
_USERINFO = re.compile(
    r"(?<=://)[^\s/@:]{0,200}:[^\s'\"`]{0,400}@|(?<=://)[^\s/]{1,400}@"
    r"|(?<![^\s/'\"`=(])[^\s/@:'\"`]{1,100}:(?!//)[^\s'\"`]{1,200}@(?=[\w.-])"
)
_TOKENS = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|pypi-[\w-]{16,}|hf_[A-Za-z0-9]{16,}"
    r"|sk-[\w-]{16,}|xox[abpr]-[\w-]{10,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{10,}\.[\w-]{4,400}\.[\w-]{4,400})"
)
_NAMED = re.compile(
    r"\b([A-Za-z_]{0,40}(?:token|password|passwd|secret|api[_-]?key|authorization)\"?'?[=:]\s?\"?'?)"
    r"(?:(?:bearer|basic)\s)?[^\s\"'&,;]{4,}",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """The text with the user part of addresses, tokens of well-known forms and named secrets written as `***`."""
    text = _USERINFO.sub("***@", text)
    text = _TOKENS.sub("***", text)
    return _NAMED.sub(r"\1***", text)


def excerpt(text: str) -> str:
    """At most 12 lines and 2,000 characters of the text, redacted, without blank lines at the ends."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    if len(lines) > LINES:
        lines = [*lines[: LINES // 2], "…", *lines[-(LINES // 2 - 1) :]]
    lines = [redacted(line) for line in lines]
    share = CHARACTERS // max(len(lines), 1) if sum(map(len, lines)) + len(lines) > CHARACTERS else CHARACTERS
    return "\n".join(_cut(line, share) for line in lines)[:CHARACTERS]


def _cut(line: str, most: int) -> str:
    return line if len(line) < most else f"{line[: most - 2]}…"
