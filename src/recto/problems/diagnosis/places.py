"""Where in the project a log says a package was asked for: the requirements file and line that pip prints behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from recto.problems.diagnosis.finding import Finding
from recto.problems.problem import Source

# `Collecting NAME==1.0 (from PARENT->-r FILE (line N))`: only what the file itself asks for names NAME's own line.
_ASKED = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]{0,120})(?:\[[^\]\n]{0,80}\])?(?P<rest>[^()\n]{0,300})"
    r"\(from -r (?P<file>[^()\n]{1,300}) \(line (?P<line>\d{1,7})\)\)"
)
_LINES_MAX = 20_000
_SEPARATORS = re.compile(r"[-_.]+")
_LEADING = re.compile(r"\s{0,12}(?:Collecting|Obtaining|Requirement already satisfied:|Processing|Downloading)?\s{1,4}")


def placed(findings: Iterable[Finding], text: str) -> Iterator[Finding]:
    """The findings, those with a package and no source placed where the log says it was asked for."""
    asked: dict[str, Source] | None = None
    for finding in findings:
        if finding.package is None or finding.source is not None:
            yield finding
            continue
        if asked is None:
            asked = _asked(text)
        yield replace(finding, source=asked.get(_normal(finding.package)))


def _asked(text: str) -> dict[str, Source]:
    """The source of each package that a requirements file asked for."""
    sources: dict[str, Source] = {}
    for line in islice((line for line in text.split("\n") if "(from -r " in line), _LINES_MAX):
        leading = _LEADING.match(line)
        match = _ASKED.match(line, leading.end() if leading else 0)
        if match:
            source = Source(match["file"].replace("\\", "/"), int(match["line"]))
            sources.setdefault(_normal(match["name"]), source)
    return sources


def _normal(name: str) -> str:
    return _SEPARATORS.sub("-", name).lower()
