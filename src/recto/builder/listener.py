"""What uv says while it installs, as events."""

from __future__ import annotations

import re
from collections.abc import Mapping

from recto.progress import Event, Progress

# uv says so on stderr, without a progress bar: `Downloading polars (40.1MiB)`, ` Downloaded polars` for files of a
# megabyte or more, `Prepared 3 packages in 1s` and `Installed 3 packages in 9ms` (uv 0.13.9).
_DOWNLOADED = re.compile(r"\s*Downloaded (?P<name>\S+)")
_PREPARED = re.compile(r"Prepared \d+ package")
_INSTALLED = re.compile(r"Installed (?P<count>\d+) package")


class Listener:
    """Turns the lines of uv into events."""

    def __init__(self, sizes: Mapping[str, int], packages: int, progress: Progress) -> None:
        self._sizes = sizes
        self._packages = packages
        self._progress = progress
        self._done = 0

    def start(self) -> None:
        """Tells what is to come. Files that the cache has count too: uv does not say which those are."""
        self._progress(Event("downloading", done=0, total=sum(self._sizes.values()), unit="bytes"))

    def __call__(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if match := _DOWNLOADED.match(text):
            self._done += self._sizes.get(match["name"], 0)
            self._progress(
                Event("downloading", match["name"], done=self._done, total=sum(self._sizes.values()), unit="bytes")
            )
        elif _PREPARED.match(text):
            self._progress(Event("installing", done=0, total=self._packages, unit="packages"))
        elif match := _INSTALLED.match(text):
            self._progress(Event("installing", done=int(match["count"]), total=self._packages, unit="packages"))
