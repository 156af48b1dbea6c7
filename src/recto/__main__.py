"""The entry point: `recto` and `python -m recto`."""

from __future__ import annotations

import sys

from recto.cli.main import main as _main


def main() -> None:
    """Runs the command line and exits with its code."""
    sys.exit(_main())


if __name__ == "__main__":
    main()
