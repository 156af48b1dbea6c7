"""What every render gets, whatever its document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field


class Options(Struct, frozen=True):
    """What every render gets: `environment` is all that cells see of the server's variables.

    `fonts` holds matplotlib's lists of fonts, for renders that have a home of their own. `disk_bytes_max` is what one
    render may add to the disk.
    """

    seconds_max: float = 600.0
    environment: Mapping[str, str] = field(default_factory=dict)
    fonts: Path | None = None
    disk_bytes_max: int | None = None
