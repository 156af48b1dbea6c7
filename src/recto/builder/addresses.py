"""Paths under which uv has met an interpreter before.

uv asks each interpreter who it is and remembers the answer by its path: a tenth of a second, and an entry of its cache,
for every environment that is built at a place of its own. So an environment is shown to uv under one of a few
addresses: links that are used again and again, each by one build at a time.

    ADDRESSES/DIGEST-N        a link to the environment that is just being built; DIGEST of the interpreter below
    ADDRESSES/DIGEST-N.lock   held (flock) while it is
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def address(addresses: Path, directory: Path) -> Iterator[Path]:
    """A path that leads to the environment at `directory`, and leads nobody else anywhere meanwhile."""
    addresses.mkdir(parents=True, exist_ok=True)
    interpreter = os.path.realpath(directory / "bin" / "python")
    digest = hashlib.sha256(os.fsencode(interpreter)).hexdigest()[:16]
    for number in itertools.count():
        place = addresses / f"{digest}-{number}"
        descriptor = os.open(place.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        try:
            # Left by a killed build; the lock of whoever made it is ours now.
            place.unlink(missing_ok=True)
            place.symlink_to(directory)
            yield place
            return
        finally:
            place.unlink(missing_ok=True)
            os.close(descriptor)
