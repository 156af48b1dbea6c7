"""A full disk, told apart from everything else that an operating system refuses."""

from __future__ import annotations

import errno

from recto.problems.catalogue import problem
from recto.problems.problem import Problem

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def full_disk(error: OSError) -> Problem | None:
    """`disk-full` where the disk or somebody's quota of it is used up, None for any other error."""
    return problem("disk-full") if error.errno in _FULL else None
