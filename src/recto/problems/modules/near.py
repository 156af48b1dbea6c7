"""Misspelt module names: which certain name was meant, and whether there is any doubt.

Nothing proves the edit that follows from it, so only one slip within the word is clear. Distributions are compared by
another measure (`resolver.fixes.spelling`): there the resolver tries each edit before it is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

# Below this, one slip makes another word: `os`, `ast`.
_LENGTH_MIN = 4
_NAMES_MAX = 3
# Of difflib's ratio: two slips in a name of twelve letters.
_LIKENESS = 0.85


class Near(Struct, frozen=True):
    """Names that are much like another, best first; `clear` where the first is the only one that can be meant."""

    names: tuple[str, ...] = ()
    clear: bool = False


def near_modules(name: str, among: Iterable[str]) -> Near:
    """What in `among` the name may be a misspelling of.

    Clear is a slip of the hand: capitals, two letters swapped, one letter within the word wrong, missing or too many.
    One letter more or less at an end is none (`torchx` is not `torch`), and neither is a digit (`PyQt5`, `PyQt6`).
    """
    names = {other for other in among if len(other) >= _LENGTH_MIN and other != name}
    slips = sorted(other for other in names if _is_slip(name.lower(), other.lower()))
    if len(slips) == 1:
        return Near((slips[0],), clear=True)
    like = get_close_matches(name, sorted(names), n=_NAMES_MAX, cutoff=_LIKENESS)
    return Near(tuple(dict.fromkeys((*slips, *like)))[:_NAMES_MAX])


def _is_slip(wrong: str, right: str) -> bool:
    if abs(len(wrong) - len(right)) > 1:
        return False
    start = next((n for n, (a, b) in enumerate(zip(wrong, right, strict=False)) if a != b), min(len(wrong), len(right)))
    rest, wanted = wrong[start:], right[start:]
    end = next(
        (n for n, (a, b) in enumerate(zip(reversed(rest), reversed(wanted), strict=False)) if a != b),
        min(len(rest), len(wanted)),
    )
    one, other = rest[: len(rest) - end], wanted[: len(wanted) - end]
    if any(not letter.isalpha() for letter in one + other):
        return False
    if len(one) == len(other) == 2:
        return one == other[::-1]
    # What differs at the first letter is another word (`pill`, `dill`), apart from one letter swapped with the next.
    return len(one) <= 1 and len(other) <= 1 and start > 0 and (end > 0 or len(one) == len(other))
