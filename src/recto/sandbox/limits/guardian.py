"""Ends the processes of our control groups when we are killed."""

from __future__ import annotations

import os
import subprocess
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

# Until it is told that all is well, or nobody is left who could tell it.
_WAIT = "read -r word && exit 0\n"
# Each place becomes the groups in it; nothing in a place's own name is taken for a pattern.
_FIND = """
start=$1; shift
for place; do set -- "$@" "$place/$start"*; shift; done
"""
# `kill` gets what the kernel says is in the group; a pause, because a killed process stays listed until it has ended.
_KILL = """
for group; do
    { echo 1 > "$group/cgroup.kill"; } 2>/dev/null
    { echo 0 > "$group/pids.max"; } 2>/dev/null
done
for group; do
    tries=0
    while [ "$tries" -lt 500 ] && [ -d "$group" ]; do
        kill -9 $(cat "$group/cgroup.procs") 2>/dev/null
        rmdir "$group" 2>/dev/null
        tries=$((tries + 1))
        sleep 0.02
    done
done
"""


class Guardian:
    """A small process of its own session that outlives us just long enough to kill and remove our groups.

    They are all those in `places` whose name begins with `start`, whenever they are made. It is nobody's child, so that
    whoever counts ours counts what we run. Our end of its input is held by nobody else, so that it ends with us,
    however that is. Somebody who kills it too leaves the groups to the next start. It is let go when this object is.
    """

    def __init__(self, places: Sequence[Path], start: str) -> None:
        ours, told = os.pipe2(os.O_CLOEXEC)
        try:
            subprocess.run(
                ("/bin/sh", "-c", f"exec 3<&0\n{{ {_WAIT}{_FIND}{_KILL}}} <&3 3<&- &", "sh", start, *map(str, places)),
                cwd="/",
                env={"PATH": "/usr/bin:/bin"},
                stdin=ours,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                check=True,
            )
        except BaseException:
            os.close(told)
            raise
        finally:
            os.close(ours)
        # At our own end nobody has to: it sees that for itself.
        self.let_go = weakref.finalize(self, _let_go, told)
        self.let_go.atexit = False


def _let_go(told: int) -> None:
    with suppress(BrokenPipeError):
        os.write(told, b"\n")
    os.close(told)
