"""The entry point: `recto` and `python -m recto`.

The latter puts the current directory before all others that modules come from, and that is a project: its `json.py` or
`random.py` is not ours to run. What Python itself imports before this file is out of reach here (`docs/security.md`).
"""

from __future__ import annotations

import os
import sys

# Nothing stands there where Python was told so, or where the current directory is gone. It stays where it is the one
# that we come from: somebody is at work on Recto. (pathlib takes a third of a start.)
if (
    __name__ == "__main__"
    and not sys.flags.safe_path
    and os.path.isdir(sys.path[0])  # noqa: PTH112
    and os.path.samefile(sys.path[0], ".")  # noqa: PTH121
    and __file__ != f"{sys.path[0]}/recto/__main__.py"
):
    del sys.path[0]

from recto.cli.shortcut import run_again
from recto.cli.streams import prepare_streams


def main() -> None:
    """Runs the command line and exits with its code."""
    prepare_streams()
    run_again(sys.argv[1:], os.environ)
    # Importing makes a hundred thousand objects that stay, and looking through them for garbage takes 15 ms of 300.
    import gc

    gc.set_threshold(100_000)
    from recto.cli.main import main as _main

    _leave(_main())


def _leave(code: int) -> None:
    """Ends the process without taking the interpreter apart: 25 ms, to free what the system frees.

    Exit functions run, and whoever is still at work in another thread is waited for, in the ordinary way.
    """
    import atexit
    import threading
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        # What can be said about a stream that takes nothing was said by the command.
        with suppress(OSError):
            stream.flush()
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    os._exit(code)


if __name__ == "__main__":
    main()
