"""Files without a name: how a mechanism hands over what nobody else is to read (memfd_create(2))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def memory_file(content: bytes = b"") -> Iterator[int]:
    """A descriptor of a file without a name, read from its start; what is still missing is put there by os.pwrite."""
    descriptor = os.memfd_create("recto")
    try:
        os.pwrite(descriptor, content, 0)
        yield descriptor
    finally:
        os.close(descriptor)
