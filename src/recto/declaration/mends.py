"""Near misses: lines that become a requirement when one habit of writing is undone.

The habits are undone one after the other until the line parses. What comes out is offered as a fix, never applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from recto.declaration.entry import Entry
from recto.declaration.pep508 import NotARequirement, parse
from recto.declaration.showing import shown
from recto.problems import Problem

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", None),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u2018\u2019", "'"),
        **dict.fromkeys("\u201c\u201d", '"'),
        "\u2265": ">=",
        "\u2264": "<=",
        "\uff1d": "=",
        "\uff1e": ">",
        "\uff1c": "<",
        "\uff0c": ",",
    }
)
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\s*\[[^\]]*\])?"
_VERSION = r"v?\d[\w.!+*]*"


class _Habit(Struct, frozen=True):
    reason: str
    undo: Callable[[str], str]


def _replacing(pattern: str, replacement: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(replacement, text)


_HABITS = (
    _Habit("it holds typographic characters", lambda text: text.translate(_TYPOGRAPHY).strip()),
    _Habit("it begins with a list bullet", _replacing(r"^(?:[-*+•]|\d+[.)])\s+", "")),
    _Habit("it ends with a stray character", lambda text: text.rstrip(",;\\ ")),
    _Habit("it is in quotes", _replacing(r"^([\"'`])([^\"'`]*)\1$", r"\2")),
    _Habit("its version is in quotes", _replacing(rf"^({_NAME}\s*[=<>!~:]+\s*)([\"'])([^\"']*)\2$", r"\1\3")),
    _Habit("the order of the comparison is turned round", _replacing(r"=([<>])(?!=)", r"\1=")),
    _Habit("a version needs `==`", _replacing(r"^([^;=<>!~]*[^;=<>!~\s])\s*=(?!=)\s*", r"\1==")),
    _Habit("`===` compares letters instead of versions", _replacing(r"===", "==")),
    _Habit("a version needs `==`", _replacing(rf"^({_NAME})\s*[:@]\s*({_VERSION})", r"\1==\2")),
    _Habit("a version needs `==`", _replacing(rf"^({_NAME})\s+({_VERSION})(?=\s*(?:;|$))", r"\1==\2")),
    _Habit("a comma is missing between two ranges", _replacing(r"(?<=[\w*])\s+(?=[<>!~=]=?\s*\d)", ",")),
    _Habit("`.*` goes only with `==` and `!=`", _replacing(r"([<>]=?\s*[\d.]*\d)\.\*", r"\1")),
)


def near_miss(entry: Entry, text: str, reason: str) -> Problem:
    """`invalid-requirement` for the entry, with a fix where sure; `text` is its requirement without the hashes."""
    options = entry.text[len(text) :]
    mended = _mended(text)
    if mended:
        better, reason = mended
        return _invalid(entry, reason, better, (better + options,), f"Write `{shown(better, 80)}`")
    several = [piece.strip(" \t\"'") for piece in text.strip(" \t,").split(",")]
    if len(several) > 1 and not options and all(_parses(piece) for piece in several):
        return _invalid(entry, "it holds several packages", several[0], tuple(several), "Write one package a line")
    return _invalid(entry, _likely(text) or reason, _example(text))


def _mended(text: str) -> tuple[str, str] | None:
    return next(((candidate, reason) for candidate, reason in _candidates(text) if _parses(candidate)), None)


def _candidates(text: str) -> Iterator[tuple[str, str]]:
    for habit in _HABITS:
        undone = habit.undo(text)
        if undone != text:
            yield undone, habit.reason
        text = undone


def _invalid(entry: Entry, reason: str, suggestion: str, texts: tuple[str, ...] = (), title: str = "") -> Problem:
    return entry.refused(
        "invalid-requirement",
        entry.rewrite(title, *texts) if texts else None,
        line=shown(entry.text, 80),
        reason=reason,
        suggestion=shown(suggestion, 80),
    )


def _parses(text: str) -> bool:
    try:
        parse(text)
    except NotARequirement:
        return False
    return True


def _likely(text: str) -> str | None:
    if re.match(r"(?:import|from)\s+\w", text):
        return "it is Python code; the name to install can differ from the name to import"
    if re.fullmatch(r"[\w -]+:(?:\s.*)?|-{3,}|\.{3}|\[[\w.-]+\]", text):
        return "it looks like YAML or TOML"
    if len(re.findall(r"[A-Za-z]{2,}", text)) > 1 and re.fullmatch(r"[\w\s.-]+", text):
        return "there is more than one word on it; write one package a line"
    return None


def _example(text: str) -> str:
    name = re.match(r"(?:(?:import|from)\s+)?([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?!\w*:)", text)
    return name[1] if name and len(name[1]) <= 60 else "polars>=1"
