"""A line that is no requirement, as tools show it: the package it means, what is wrong, and how to write it."""

from __future__ import annotations

import re

_MEANT = re.compile(
    r"([A-Za-z0-9](?:[\w.-]{0,100}[A-Za-z0-9])?)\s{0,20}(?:\[[^\]]{0,80}\])?\s{0,20}(=|==|<=|>=|<|>|~=|!=)\s{0,20}([\w.*+!-]{0,60})"
)
_OPERATOR = re.compile(r"[<>=!~]")


def facts_of_line(line: str, reason: str) -> dict[str, str]:
    """The facts of an `invalid-requirement`: `package` only where the line begins with a name and an operator."""
    line = line.strip()[:200]
    facts = {"line": line, "reason": reason.rstrip(".").strip() or "it has another form", "suggestion": "polars>=1.2"}
    meant = _MEANT.match(line)
    if meant:
        package, operator, version = meant.groups()
        facts["package"] = package
        operator = "==" if operator == "=" else operator
        facts["suggestion"] = f"{package}{operator}{version}" if version else package
    return facts
