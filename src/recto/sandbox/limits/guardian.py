"""Ends the processes of a control group when we are killed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

# Waits until it is told that all is well, or until nobody is left who could tell it. `kill` gets what the kernel says
# is in the group; a pause, because a killed process stays listed until it has ended.
_GUARD = """
read -r word && exit 0
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
    """A small process of its own session that outlives us just long enough to kill and remove these groups.

    Our end of its input is held by nobody else, so that it ends with us, however that is. Somebody who kills it too
    leaves the groups to the next start.
    """

    def __init__(self, groups: Sequence[Path]) -> None:
        self._process = subprocess.Popen(
            ("/bin/sh", "-c", _GUARD, "sh", *map(str, groups)),
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )

    def __enter__(self) -> Guardian:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Lets it go."""
        with self._process as process, suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.write(b"\n")
