"""What Landlock is told, in its own words (linux/landlock.h; Linux, Documentation/userspace-api/landlock.rst)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from recto.sandbox.base import Command
from recto.sandbox.refusal import refusal

# 4 keeps from TCP, 5 from driving devices, 6 from signals to other processes and from abstract Unix sockets. Nothing
# else can do the last two without namespaces, so that with less there is a way out.
LEAST_VERSION = 6
_CREATE_RULESET, _ASK_VERSION = 444, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHARACTER_DEVICE, _MAKE_BLOCK_DEVICE = 1 << 6, 1 << 11
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
# All up to the least version; what a later one adds is as if there were none.
ALL_FILES = (1 << 16) - 1
ALL_TCP = 1 << 0 | 1 << 1
ALL_SCOPES = 1 << 0 | 1 << 1

READ = _EXECUTE | _READ_FILE | _READ_DIRECTORY
WRITE = ALL_FILES & ~(_MAKE_CHARACTER_DEVICE | _MAKE_BLOCK_DEVICE | _DEVICE_CONTROL)
# Names of files that are shown one by one are no secret, but what stands in their directory may be.
_DEVICE = _READ_FILE | _WRITE_FILE
_TERMINAL = _DEVICE | _DEVICE_CONTROL
# What a rule on something that is no directory may say.
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL

# What programs need of the system. DuckDB asks for its own control group, which no rule can show without all of /proc:
# the process that asks is not there yet. Other processes' environments, memory and files are kept by the kernel all the
# same, as tracing is. Of /etc only what has no secret.
SYSTEM: tuple[tuple[str, int], ...] = (
    *((path, READ) for path in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")),
    *((path, READ) for path in ("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime")),
    *((path, READ) for path in ("/etc/ssl/certs", "/etc/mime.types")),
    *((path, READ) for path in ("/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/sys/devices/system/node")),
    *((f"/dev/{name}", _DEVICE) for name in ("null", "zero", "full", "random", "urandom")),
    # IPython runs `!command` on a terminal of its own.
    *((path, _TERMINAL) for path in ("/dev/ptmx", "/dev/pts", "/dev/tty")),
)


class Grant(Struct, frozen=True):
    """The rights on a path and what lies below; `direct` if no part of the path may be a link."""

    path: str
    rights: int
    direct: bool = False


def version() -> int:
    """Landlock's version in this kernel, 0 where it has none or keeps it from us."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    found: int = call(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    return max(found, 0)


def require_version(found: int) -> None:
    """Raises SandboxError where the kernel's Landlock does not keep what the mechanism promises."""
    if found == 0:
        raise refusal(
            "The kernel has no Landlock, or the container forbids it: run Linux 6.12 or newer with `landlock` among "
            "its `lsm=`, or contain with bubblewrap."
        )
    if found < LEAST_VERSION:
        raise refusal(
            f"The kernel's Landlock has version {found}, and {LEAST_VERSION} is the first that keeps signals and "
            "abstract sockets in: run Linux 6.12 or newer, or contain with bubblewrap."
        )


def grants(command: Command) -> tuple[Grant, ...]:
    """The rights of a command on the files that it names, and on the system's.

    Raises SandboxError where something read-only lies in something writable: Landlock's rights only ever add up.
    """
    writable = command.writable
    read_only = tuple(path for path in command.read_only if path not in writable)
    for inner in read_only:
        for outer in writable:
            if inner.resolve().is_relative_to(outer.resolve()):
                raise refusal(
                    f"`{inner}` is to be read-only and lies in `{outer}`, which is writable; Landlock cannot keep "
                    "that: move it elsewhere, or contain with bubblewrap."
                )
    return (*_system(), *(Grant(str(path.absolute()), _fit(path, READ)) for path in read_only), *_writable(writable))


def _system() -> Iterator[Grant]:
    for name, rights in SYSTEM:
        if (path := Path(name)).exists():
            yield Grant(name, _fit(path, rights))


def _writable(paths: tuple[Path, ...]) -> Iterator[Grant]:
    # A command of before may have left a link here in the place of a directory.
    for path in paths:
        yield Grant(str(path.absolute()), _fit(path, WRITE), direct=True)


def _fit(path: Path, rights: int) -> int:
    return rights if path.is_dir() else rights & _OF_A_FILE
