"""The metadata of a wheel, read from its verified bytes (PEP 427, 658)."""

from __future__ import annotations

import os
import zipfile
import zlib

# The longest descriptions have some hundred kilobytes.
_BYTES_MAX = 5_000_000


def metadata_of(descriptor: int) -> bytes | None:
    """What the wheel's METADATA holds, byte for byte; None where there is no such file, or none that can be read."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as wheel:
                found = [info for info in wheel.infolist() if _is_metadata(info.filename)]
                if len(found) != 1 or found[0].file_size > _BYTES_MAX:
                    return None
                with wheel.open(found[0]) as inside:
                    text = inside.read(_BYTES_MAX + 1)
                return text if len(text) <= _BYTES_MAX else None
        # A stranger's file may be wrong in any way that zipfile and its decompressors know.
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError, zlib.error):
            return None


def _is_metadata(name: str) -> bool:
    directory, _, last = name.partition("/")
    return last == "METADATA" and directory.endswith(".dist-info")
