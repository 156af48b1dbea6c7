"""How bad an advisory is: four levels, and how they are read from what a record says."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache


class Level(IntEnum):
    """How bad; a larger one is worse."""

    LOW = 1
    MODERATE = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        return self.name.lower()


# Databases say "moderate" or "medium" for the same. A score of zero is still an advisory.
_WORDS = {str(level): level for level in Level} | {"medium": Level.MODERATE, "none": Level.LOW}


def level_of(word: object) -> Level | None:
    """The level that a word such as `HIGH` or `Medium` names; None for anything else."""
    return _WORDS.get(word.lower()) if isinstance(word, str) else None


def worst(levels: Iterable[Level | None]) -> Level | None:
    """The worst of those that are known, or None."""
    return max((level for level in levels if level is not None), default=None)


@lru_cache(maxsize=4096)  # a few hundred vectors make up nearly all of a database, and one takes 0.2 ms
def level_of_vector(vector: str) -> Level | None:
    """The level of the base score of a CVSS vector of version 2, 3 or 4; None where it cannot be read."""
    # Late: it takes a tenth of a second, and a gateway without advisories needs none of it.
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    try:
        if vector.startswith("CVSS:4"):
            return level_of(CVSS4(vector).severity)
        scored = CVSS3(vector) if vector.startswith("CVSS:3") else CVSS2(vector)
    except CVSSError:
        return None
    return level_of(scored.severities()[0])
