"""Bytecode keys: the digest of everything that changes what a distribution's sources compile to.

The wheel's SHA-256 stands for its sources: it is enforced at every install, so equal digests are equal files. RECORD
alone would not do. It is the author's text, and a wheel that carries another's RECORD beside sources of its own would
have them linked into everybody's environments.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Self

from msgspec import Struct
from packaging.pylock import PackageWheel

from recto.interpreters import Base

# Raised when the compiling changes: old entries are then never linked again, and go with the next sweep.
FORMAT = 1

_DIGEST = re.compile(r"[0-9a-f]{32}")


class BytecodeKey(Struct, frozen=True, order=True):
    """One wheel under one interpreter: 32 hexadecimal digits."""

    digest: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"not a bytecode key: {self.digest!r}")

    @classmethod
    def of(cls, wheel: PackageWheel, base: Base) -> Self:
        """The key of a locked wheel under this interpreter; ValueError where the lock has no SHA-256 for it."""
        digest = wheel.hashes.get("sha256")
        if not digest:
            raise ValueError(f"{wheel.filename} is locked without a SHA-256")
        identity = base.identity
        ingredients = {
            "format": FORMAT,
            "wheel": digest.lower(),
            "implementation": identity.implementation,
            "python": identity.version,
            "abi": identity.abi,
            "bytecode": base.bytecode,
            "optimize": 0,
            "invalidation": "unchecked-hash",
        }
        text = json.dumps(ingredients, sort_keys=True, separators=(",", ":"))
        return cls(hashlib.sha256(text.encode("ascii")).hexdigest()[:32])
