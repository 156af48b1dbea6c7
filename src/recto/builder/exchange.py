"""Putting a directory in place of another in one step."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

# renameat2(2), Linux 3.15, glibc 2.28: `RENAME_EXCHANGE` swaps two paths, so that there is no moment without either.
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def put_in_place(new: Path, place: Path) -> None:
    """Moves `new` to `place`; what stood there before is at `new` afterwards. Raises OSError, with nothing moved."""
    if not place.exists() or not any(place.iterdir()):
        new.rename(place)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(place), _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(new), None, str(place))
