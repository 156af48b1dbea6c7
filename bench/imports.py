"""What `recto run` imports before it becomes the command, with the time of each module.

    .venv/bin/python -m bench.imports

The times are those of `python -X importtime`, of the module's own body, from compiled files. What the interpreter
imports at its own start is left out.
"""

from __future__ import annotations

import os
import subprocess
import sys

# The fastest of so many starts: an import does the same each time, and what is slower waited for something else.
STARTS = 15

# Everything that the short way needs is imported with the entry point; a test holds that.
_ENTRY = "import recto.__main__"


def table() -> list[tuple[str, float]]:
    """Each module and its milliseconds, in the order in which they are imported."""
    before = _starts("pass").keys()
    return [(name, took) for name, took in _starts(_ENTRY).items() if name not in before]


def main() -> None:
    """Prints the table in Markdown, the sum last."""
    rows = table()
    print("| module | ms |", "| --- | --- |", sep="\n")
    for name, took in rows:
        print(f"| `{name}` | {took:.2f} |")
    print(f"| all {len(rows)} | {sum(took for _, took in rows):.2f} |")


def _starts(code: str) -> dict[str, float]:
    """The milliseconds of each module that is imported when `code` runs."""
    fastest: dict[str, float] = {}
    for _ in range(STARTS):
        for name, took in _importtimes(code):
            fastest[name] = min(took, fastest.get(name, took))
    return fastest


def _importtimes(code: str) -> list[tuple[str, float]]:
    """What one start reports, line by line: `import time: SELF | CUMULATIVE | NAME`, in microseconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    argv = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    lines = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()]
    return [(name.strip(), int(own) / 1000) for own, _, name in lines if own.strip().isdecimal()]


if __name__ == "__main__":
    main()
