"""Writes the table of attacks from what a run of the cases left. `scripts/attacks` does both."""

from __future__ import annotations

import sys
from pathlib import Path

from case import MECHANISMS, cases
from result import results
from table import PAGE, seen, table, written


def main(directory: Path) -> int:
    """Zero, or one and a word on standard error where a case was not run under every mechanism."""
    found = results(directory)
    wanted = {(case.name, mechanism) for case in cases() for mechanism in MECHANISMS}
    absent = sorted(wanted - {(result.case, result.mechanism) for result in found})
    if absent:
        names = ", ".join(f"`{name}` under {mechanism}" for name, mechanism in absent)
        sys.stderr.write(f"The table is left as it is: this machine did not run {names}.\n")
        return 1
    PAGE.write_text(written(PAGE.read_text(), table(cases(), seen(found))))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
