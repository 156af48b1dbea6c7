"""The three standard streams, made usable whatever state the caller left them in."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> None:
    """Opens closed standard streams on nothing, and lets no character that a terminal lacks stop a command.

    A closed descriptor 0, 1 or 2 would go to the next file that anybody opens, and a child would print into that.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is what open(2) gives.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
    # Python leaves None where a stream was closed at its start.
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
