"""Which problem a command is that a limit ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from limited import MEGABYTE, python, run
from recto.sandbox.base import Limits
from recto.sandbox.exceeded import exceeded
from recto.sandbox.limits.hierarchies import places

needs_groups = pytest.mark.skipif(
    not {"memory", "pids"} <= frozenset().union(*(place.controllers for place in places())),
    reason="this process may not make control groups for memory and processes",
)
THREADS = """
import threading
stop = threading.Event()
try:
    for _ in range(1000): threading.Thread(target=stop.wait).start()
finally:
    stop.set()
"""


def code_of(code: str, limits: Limits, tmp_path: Path) -> str | None:
    found = exceeded(run(python(code, cwd=tmp_path, limits=limits)))
    return None if found is None else found.code


@needs_groups
@pytest.mark.parametrize(
    ("code", "limits", "expected"),
    [
        ("bytearray(400_000_000)", Limits(memory_bytes=60 * MEGABYTE), "out-of-memory"),
        ("import os\nwhile True: os.fork()", Limits(processes=20), "process-limit"),
        (THREADS, Limits(processes=20), "process-limit"),
        (THREADS + "\n", Limits(), None),
        # Refused, and failed for a reason of its own.
        (f"{THREADS.replace('finally:', 'except RuntimeError:')}\n1 / 0", Limits(processes=20), None),
    ],
)
def test_what_the_kernel_counted_tells(code: str, limits: Limits, expected: str | None, tmp_path: Path) -> None:
    assert code_of(code, limits, tmp_path) == expected


@pytest.mark.makes("processor-limit", "disk-limit")
@pytest.mark.parametrize(
    ("code", "limits", "expected"),
    [
        ("while True: pass", Limits(cpu_seconds=1), "processor-limit"),
        (
            "open('large', 'wb').write(bytes(5_000_000))",
            Limits(disk_bytes=4 * MEGABYTE, file_bytes=MEGABYTE * 9),
            "disk-limit",
        ),
        (
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nopen('large', 'wb').write(bytes(5_000_000))",
            Limits(file_bytes=MEGABYTE),
            "disk-limit",
        ),
        ("import os; os.kill(os.getpid(), 9)", Limits(processes=20), None),
        ("raise BlockingIOError(11, 'Resource temporarily unavailable')", Limits(), None),
        ("import signal; signal.pause()", Limits(wall_seconds=0.2), None),
    ],
)
def test_limits_are_told_from_each_other_and_from_none(
    code: str, limits: Limits, expected: str | None, tmp_path: Path
) -> None:
    assert code_of(code, limits, tmp_path) == expected
