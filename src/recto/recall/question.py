"""What one command asks, before anything is read: which command, where, and under which variables."""

from __future__ import annotations

import os
import sys

from recto.version import VERSION

try:
    from _blake2 import blake2b
except ImportError:
    # The same function, by the name that is documented; loading it loads all of OpenSSL, a quarter of a short run.
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Raised when the meaning of a memo changes: old ones then never match.
FORMAT = 2

# Memos lie in so many places, by the first digits of their question's digest, and the next question of a place takes
# it: 4,096 files of about 1 kB, however many projects there are, and nothing to sweep.
_PLACE_DIGITS = 3

# Below the data directory: a part of the store's cache.
MEMOS = "v1/cache/runs"

# All that settings are read from, beside the variables of our own.
_VARIABLES = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
_PREFIX = "RECTO_"


class Question:
    """One project or document under one set of variables. `root` is the path asked for, without symbolic links.

    `digest` stands for everything that is known before a file is read, and `memo` is where an answer may lie. (Not a
    dataclass: importing what makes one takes longer than all that is done with it.)
    """

    __slots__ = ("digest", "memo", "root")

    def __init__(self, digest: str, root: str, memo: str) -> None:
        self.digest = digest
        self.root = root
        self.memo = memo


def question(path: str, environ: Mapping[str, str], command: str = "run") -> Question | None:
    """The question of a command about this path, None where only the settings can tell where the data directory is.

    Every variable of ours is part of it, and so is the working directory, to which paths in them are relative.
    """
    data = _data(environ)
    try:
        here, root = os.getcwd(), os.path.realpath(path)  # noqa: PTH109
    except FileNotFoundError:
        # The working directory was removed.
        return None
    if data is None:
        return None
    ours = sorted(name for name in environ if name.startswith(_PREFIX) or name in _VARIABLES)
    who = (str(FORMAT), VERSION, __file__, sys.version, command, here, root)
    digest = digest_of(os.fsencode("\0".join((*who, *(f"{name}={environ[name]}" for name in ours)))))
    return Question(digest, root, f"{data}/{MEMOS}/{digest[:_PLACE_DIGITS]}")


def digest_of(data: bytes) -> str:
    """A digest that nobody can find a second text for: 64 hexadecimal digits."""
    return blake2b(data, digest_size=32).hexdigest()


def _data(environ: Mapping[str, str]) -> str | None:
    """The data directory where plain variables tell it; a memo is found nowhere else, and written nowhere else."""
    named = environ.get("RECTO_DATA_DIR")
    home = environ.get("XDG_DATA_HOME")
    if named is None:
        named = f"{home}/recto" if home else f"{environ.get('HOME', '')}/.local/share/recto"
    return named if named.startswith("/") else None
