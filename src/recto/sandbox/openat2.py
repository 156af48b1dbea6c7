"""openat2(2), Linux 5.6: one call that opens a path and lets the kernel hold it beneath a directory.

Python has no name for it, so it is called by number. `ctypes` takes 5 ms to import, which is why this is a module of
its own.
"""

from __future__ import annotations

import ctypes
import errno
import os

# Of linux/openat2.h.
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
# The same on every architecture but alpha.
_NUMBER = 437
# No kernel has it, a seccomp filter that is older than it denies it, or a kernel knows less than is asked for.
_UNAVAILABLE = frozenset({errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.E2BIG})

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def opened(directory: int, path: str, flags: int, *, one_volume: bool) -> int | None:
    """A descriptor of what lies at `path` beneath the directory, no part of it a link; None where that cannot be asked.

    Raises OSError: ELOOP for a link, EXDEV for what leads out of the directory or, with `one_volume`, to another mount.
    """
    resolve = _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS | (_NO_XDEV if one_volume else 0)
    how = _How(flags, 0, resolve)
    arguments = (ctypes.c_char_p(os.fsencode(path)), ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how)))
    while True:
        descriptor: int = _syscall(ctypes.c_long(_NUMBER), ctypes.c_int(directory), *arguments)
        if descriptor >= 0:
            return descriptor
        code = ctypes.get_errno()
        # EAGAIN: something was renamed meanwhile, or the file is leased. Step by step one can tell.
        if code in _UNAVAILABLE or code == errno.EAGAIN:
            return None
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code), path)
