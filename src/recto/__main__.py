"""The entry point: `recto` and `python -m recto`."""

from __future__ import annotations

import os
import sys

from recto.cli.shortcut import run_again
from recto.cli.streams import prepare_streams


def main() -> None:
    """Runs the command line and exits with its code."""
    prepare_streams()
    run_again(sys.argv[1:], os.environ)
    from recto.cli.main import main as _main

    sys.exit(_main())


if __name__ == "__main__":
    main()
