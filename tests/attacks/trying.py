"""Runs an attempt: each of its tries, and what became of it, as lines of JSON on standard output.

Run as `python -I -S trying.py attempt.py`; standard input is JSON, what is there to be attacked. The attempt has a
function `tries` that takes this and gives a function for each try, which raises where it comes to nothing. A try is
announced before it is made, so that one that ends the process is known.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import runpy
import socket
import sys
from collections.abc import Callable

Act = Callable[[], object]

LIBC = ctypes.CDLL(None, use_errno=True)


def became(act: Act) -> str:
    """`done`, or the name of the error."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    except LookupError:
        return "LookupError"
    return "done"


def call(name: str, *arguments: object) -> Act:
    """A function of the C library, which says with -1 that it failed."""

    def act() -> None:
        if getattr(LIBC, name)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), name)

    return act


def connect(family: int, address: object, kind: int = socket.SOCK_STREAM) -> Act:
    def act() -> None:
        with socket.socket(family, kind) as client:
            client.settimeout(2)
            client.connect(address)  # type: ignore[arg-type]

    return act


def append(path: str) -> Act:
    def act() -> None:
        with open(path, "ab") as file:
            file.write(b"planted")

    return act


def find(secret: str, path: str) -> Act:
    """Looks for a secret in a file."""

    def act() -> None:
        with open(path, "rb") as file:
            if secret.encode() not in file.read():
                raise LookupError(path)

    return act


def first_of(acts: list[Act]) -> Act:
    """Works where any of them works; else it is refused where one of them is, for others may be of what has ended."""

    def act() -> None:
        results = {became(one) for one in acts}
        if "done" in results:
            return
        if results & {"EACCES", "EPERM"}:
            raise PermissionError(errno.EACCES, "refused")
        raise LookupError

    return act


def processes() -> list[str]:
    """The numbers of all processes that are to be seen."""
    return [name for name in os.listdir("/proc") if name.isdecimal()]


def main() -> None:
    sys.modules["trying"] = sys.modules["__main__"]
    given = json.load(sys.stdin)
    for name, act in runpy.run_path(sys.argv[1])["tries"](given).items():
        sys.stdout.write(json.dumps([name, None]) + "\n")
        sys.stdout.flush()
        sys.stdout.write(json.dumps([name, became(act)]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
