"""A directory for one command that runs code of strangers, gone with whatever they left in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recto.sandbox.removing import discarded


@contextmanager
def thrown_away(parent: Path, prefix: str = "once-") -> Iterator[Path]:
    """An empty directory in `parent`, removed at the end without following a link, however deep it is by then.

    What is read from it once strangers wrote there goes by `beneath`.
    """
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield directory
    finally:
        discarded(directory)
