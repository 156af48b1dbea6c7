"""What a kind of problem is: one entry of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from recto.problems.problem import Level

Mender = Literal["author", "operator", "maintainer", "nobody"]


class Kind(Struct, frozen=True):
    """One code with its words. `message` and `hint` are `str.format` templates; `example` fills every field of both."""

    code: str
    group: str
    meaning: str
    message: str
    hint: str
    who: Mender = "author"
    level: Level = "error"
    example: Mapping[str, str] = field(default_factory=dict)


def by_code(*kinds: Kind) -> dict[str, Kind]:
    """The kinds under their codes, in the order given."""
    return {kind.code: kind for kind in kinds}
