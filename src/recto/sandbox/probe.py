"""Tries, from inside of a sandbox, what must not be possible there; says what it found as JSON.

Run as `python -I -S probe.py TRIES`, TRIES being JSON: paths, a port and a name that the outside has ready for it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

_CLONE_NEWUSER = 0x1000_0000
_AF_VSOCK = 40
_SECONDS = 2.0


def became(act: Callable[[], object]) -> str:
    """What became of it: `done`, or the name of the error."""
    try:
        act()
    except TimeoutError:
        return "ETIMEDOUT"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def connect(family: int, address: object) -> Callable[[], None]:
    def act() -> None:
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(_SECONDS)
            client.connect(address)  # type: ignore[arg-type]

    return act


def read(path: str) -> Callable[[], object]:
    return Path(path).read_bytes


def write(directory: str) -> Callable[[], object]:
    return lambda: (Path(directory) / "recto-probe").write_bytes(b"x")


def namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def privileges() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {name: fields.get(name, "").strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}


def first_environment() -> str:
    """What the first process of the sandbox was started with, as far as it may be read."""
    try:
        return Path("/proc/1/environ").read_text("utf-8", "replace")
    except OSError:
        return ""


def found(tries: dict[str, str]) -> dict[str, object]:
    """What became of each try."""
    # Before a namespace is tried, in which all of them would come back.
    rights = privileges()
    return {
        "privileges": rights,
        "hidden": became(read(tries["hidden"])),
        "shown": became(read(tries["shown"])),
        "write_shown": became(write(str(Path(tries["shown"]).parent))),
        "write_system": became(write("/usr")),
        "write_own": became(write(tries["own"])),
        "environment": sorted(os.environ),
        "first_environment": first_environment(),
        "uid": os.geteuid(),
        "loopback": became(connect(socket.AF_INET, ("127.0.0.1", tries["port"]))),
        "outside": became(connect(socket.AF_INET, ("192.0.2.1", 80))),
        "abstract": became(connect(socket.AF_UNIX, "\0" + tries["abstract"])),
        "vsock": became(lambda: socket.socket(_AF_VSOCK, socket.SOCK_STREAM).close()),
        "namespace": became(namespace),
    }


sys.stdout.write(json.dumps(found(json.loads(sys.argv[1]))))
