"""Files that are replaced whole or not at all, and may be lost: nothing waits for the disk."""

from __future__ import annotations

import json
import os
from pathlib import Path


def keep_json(path: Path, value: object) -> None:
    """Puts JSON at `path`, as `replace_whole` does, in a directory that is made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Before anything is written, and not `json.dump`, which takes five times as long.
    replace_whole(path, json.dumps(value).encode())


def replace_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Puts bytes at `path`, by rename: where that fails, what was there stays and nothing more.

    The file is its owner's alone unless a mode is given. Raises OSError.
    """
    import tempfile

    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if mode is not None:
                os.fchmod(descriptor, mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
