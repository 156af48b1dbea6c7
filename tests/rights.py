"""What root may do beyond others, taken away, so that permissions mean something to tests that root runs."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

# In front of a command of root's, which is then held to permissions as its owner. setpriv(1)
HELD = () if os.geteuid() != 0 else ("setpriv", "--inh-caps=-all", "--bounding-set=-all")

_VERSION = 0x2008_0522
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def held_to_permissions() -> Iterator[None]:
    """This thread as one that owns root's files and may do no more than their modes say (capset(2))."""
    header, sets = _Header(_VERSION, 0), (_Sets * 2)()
    _call(_LIBC.capget, header, sets)
    before = [one.effective for one in sets]
    for one in sets:
        one.effective = 0
    _call(_LIBC.capset, header, sets)
    try:
        yield
    finally:
        for one, effective in zip(sets, before, strict=True):
            one.effective = effective
        _call(_LIBC.capset, header, sets)


def _call(function: object, header: _Header, sets: object) -> None:
    if function(ctypes.byref(header), sets) != 0:  # type: ignore[operator]
        raise OSError(ctypes.get_errno(), "capabilities")
