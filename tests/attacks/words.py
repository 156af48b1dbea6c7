"""What became of a try, in words that do not differ between kernels."""

from __future__ import annotations

WORKS = "works"

_WORDS = {
    WORKS: ("done",),
    "read-only": ("EROFS",),
    "refused": ("EACCES", "EPERM", "EXDEV", "EBUSY"),
    "not there": ("ENOENT", "ENOTDIR", "ESRCH", "LookupError"),
    "not reached": ("ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "gaierror"),
    "full": ("ENOSPC",),
    "at the limit": ("EAGAIN",),
}
_BY_NAME = {name: word for word, names in _WORDS.items() for name in names}


def word(name: str) -> str:
    """The word for `done`, or for an error by its name; the name itself where it is none of those that are known."""
    return _BY_NAME.get(name, name)
