"""Small files that may be lost: read by whoever wants to spare work, replaced whole."""

from __future__ import annotations

import json
import os
from pathlib import Path


def keep_json(path: Path, value: object) -> None:
    """Puts JSON at `path`, by rename, whole or not at all: where that fails, what was there stays and nothing more.

    Nothing waits for the disk. Raises OSError.
    """
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    # Before anything is written, and not `json.dump`, which takes five times as long.
    text = json.dumps(value)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
