"""Matplotlib's list of the machine's fonts, made once: where it finds none, it looks through all of them, for seconds.

Made with the base in a sandbox and no document near, so that renders, which may not write where others read, get a copy
of it into their own home.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from recto.builder.commands import Commands

_LIST = "fontlist-*.json"
_MATPLOTLIB = "matplotlib"
# A machine with all of Noto has some thousand fonts, of 300 bytes each.
_BYTES_MAX = 20_000_000


def keep_fonts(commands: Commands, directory: Path) -> None:
    """Leaves the list in the directory, unless it is there or the base has no matplotlib; a failure is in the log."""
    if _MATPLOTLIB not in commands.base.identity.distributions or any(directory.glob(_LIST)):
        return
    made = commands.scratch / "fonts"
    made.mkdir()
    environment = {"MPLCONFIGDIR": str(made), "HOME": str(commands.scratch), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    argv = (str(commands.base.python), "-I", "-c", "import matplotlib.font_manager")
    commands.run(argv, environment)
    directory.mkdir(parents=True, exist_ok=True)
    for path in made.glob(_LIST):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _BYTES_MAX:
            partial = directory / f".{path.name}.partial"
            shutil.copyfile(path, partial)
            partial.replace(directory / path.name)
