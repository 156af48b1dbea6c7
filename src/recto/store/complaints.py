"""What the operating system says about the data directory, as problems."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recto.problems import Problem, StoreError, full_disk, problem

_UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.EEXIST})


@contextmanager
def complaints(path: Path) -> Iterator[None]:
    """Turns an OSError of the block into a StoreError that names `path`: a full disk, no permission, or the rest."""
    try:
        yield
    except OSError as error:
        raise StoreError(_problem(error, path)) from error


def _problem(error: OSError, path: Path) -> Problem:
    reason = (error.strerror or str(error)).lower()
    if (full := full_disk(error)) is not None:
        return full
    if error.errno in _UNWRITABLE:
        return problem("data-dir-unwritable", path=path, reason=reason)
    return problem("os-file-error", reason=f"{reason}: {error.filename or path}")
