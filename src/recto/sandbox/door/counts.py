"""What went through a door and what did not, by host: no paths, no credentials."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

# A build may ask for as many names as it likes; those beyond this are counted together.
NAMES_MAX = 64
OTHERS = "others"


class Counts(Struct, frozen=True):
    """Requests since the door was opened, by `host:port`.

    `failed` are allowed ones whose host could not be reached. `malformed` were not requests at all, `late` were not
    made in time, `crowded` came when as many as are served at once were there.
    """

    allowed: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    malformed: int = 0
    late: int = 0
    crowded: int = 0


class Tally:
    """Counts that grow, on one thread; a snapshot may be taken from any."""

    def __init__(self) -> None:
        self.allowed: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self.malformed = self.late = self.crowded = 0

    def snapshot(self) -> Counts:
        """The counts so far."""
        by_host = (dict(self.allowed), dict(self.refused), dict(self.failed))
        return Counts(*by_host, self.malformed, self.late, self.crowded)


def count(of: dict[str, int], name: str) -> None:
    """Adds one to a name, or to the others where there are too many names."""
    known = name in of or len(of) < NAMES_MAX
    key = name if known else OTHERS
    of[key] = of.get(key, 0) + 1
