"""How near the name of one distribution is to another, counted in slips of the hand.

What is nearest is tried by the resolver before it is offered, so that a ranking is enough. Of modules nothing is tried,
and another measure has to be sure by itself (`problems.modules.near`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packaging.utils import canonicalize_name

# A slip that hands make often counts less than one that they seldom make: two letters in the wrong order, one twice
# or once, the key beside the right one.
_OFTEN = 0.75
_SELDOM = 1.0
# How much nearer than the next the nearest must be.
_CLEARLY = 0.25

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_KEYS = {key: (row, column) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}


def near_distributions(name: str, names: Iterable[str]) -> list[tuple[str, float]]:
    """Those of `names` that may be meant by `name`, with their distance, the nearest first."""
    written = _letters(name)
    own = canonicalize_name(name)
    most = _most(written)
    fitting = (one for one in names if abs(len(one) - len(name)) <= len(name) and canonicalize_name(one) != own)
    found = [(one, distance(written, _letters(one))) for one in fitting]
    return sorted(((one, far) for one, far in found if far <= most), key=lambda pair: (pair[1], pair[0]))


def clearly_nearest(ranked: Sequence[tuple[str, float]]) -> str | None:
    """The first of the ranked names, where the second is farther by more than chance."""
    if not ranked:
        return None
    best, far = ranked[0]
    return best if len(ranked) == 1 or ranked[1][1] - far >= _CLEARLY else None


def distance(one: str, other: str) -> float:
    """The least weight of the slips that make the one text of the other (optimal string alignment)."""
    before: list[float] = []
    row = [_SELDOM * count for count in range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [_SELDOM * i]
        for j, wanted in enumerate(other, 1):
            steps = [
                before[j] + _extra(one, i),
                row[j - 1] + _extra(other, j),
                before[j - 1] + _swap(letter, wanted),
            ]
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                steps.append(older[j - 2] + _OFTEN)
            row.append(min(steps))
    return row[-1]


def _extra(text: str, end: int) -> float:
    """What the letter before `end` costs where it is too much."""
    return _OFTEN if end > 1 and text[end - 1] == text[end - 2] else _SELDOM


def _swap(letter: str, wanted: str) -> float:
    if letter == wanted:
        return 0.0
    here, there = _KEYS.get(letter), _KEYS.get(wanted)
    beside = here and there and max(abs(here[0] - there[0]), abs(here[1] - there[1])) == 1
    return _OFTEN if beside else _SELDOM


def _letters(name: str) -> str:
    """The name without its hyphens, which are the most forgotten part of it."""
    return canonicalize_name(name).replace("-", "")


def _most(letters: str) -> float:
    """Slips that may lie in a name of this length: every short name is near to many."""
    if len(letters) < 4:
        return 0.0
    return 1.0 if len(letters) < 7 else 2.0
