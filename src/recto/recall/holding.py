"""Holding an environment that an answer names, without the store."""

from __future__ import annotations

import os
import time

from recto.store.holds import SHARED, hold_directory, settle


def hold_again(prefix: str) -> int | None:
    """A descriptor that holds the environment, marked as used now; None where it is not there or on its way out."""
    try:
        descriptor = hold_directory(prefix, SHARED)
    except OSError:
        return None
    if descriptor is not None:
        try:
            settle(descriptor, time.time())
        except OSError:
            os.close(descriptor)
            return None
    return descriptor
