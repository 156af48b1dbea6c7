"""What every render gets, whatever its document."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class Options(Struct, frozen=True):
    """What every render gets: `environment` is all that cells see of the server's variables."""

    seconds_max: float = 600.0
    environment: Mapping[str, str] = field(default_factory=dict)
