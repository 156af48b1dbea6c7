"""Entries of the gateway's audit log, and processes that write them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recto.index.audit import Entry, Options

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)

# Records entries numbered from 0 on until it is refused or has `count`; says each number when it is recorded, and at
# the end, why it was refused.
_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from recto.index.audit import AuditLog, Entry, Options
from recto.problems import StoreError
directory, name, count, file_bytes, spoken = sys.argv[1:]
log = AuditLog(Path(directory), Options(file_bytes=int(file_bytes)))
for number in range(int(count)):
    try:
        log.record(Entry(datetime.now(UTC), "served", subject=name, request=str(number)))
    except StoreError as error:
        print(error.problems[0].code, flush=True)
        break
    if spoken == "spoken":
        print(number, flush=True)
log.close()
"""


def entry(**changes: Any) -> Entry:
    """An entry in which these fields are as given."""
    return Entry(**{"when": NOON, "verdict": "served", "package": "polars", "request": "0", **changes})


def writer(
    directory: Path,
    name: str,
    count: int,
    file_bytes: int = Options().file_bytes,
    *,
    spoken: bool = False,
    before: str = "",
) -> subprocess.Popen[str]:
    """A process that records `count` entries of the subject `name`; `before` is code that it runs first."""
    how = "spoken" if spoken else "silent"
    argv = [sys.executable, "-c", before + _WRITER, str(directory), name, str(count), str(file_bytes), how]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
