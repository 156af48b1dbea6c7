"""Matplotlib's list of the machine's fonts, made once: where it finds none, it looks through all of them, for seconds.

Made with the base in a sandbox and no document near, so that renders, which may not write where others read, get a copy
of it into their own home.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from recto.builder.commands import Commands
from recto.caching import replace_whole
from recto.sandbox.beneath import Beneath, TooLarge

_LIST = "fontlist-*.json"
_MATPLOTLIB = "matplotlib"
# A machine with all of Noto has some thousand fonts, of 300 bytes each.
_BYTES_MAX = 20_000_000


def keep_fonts(commands: Commands, directory: Path) -> None:
    """Leaves the list in the directory, unless it is there or the base has no matplotlib.

    Where matplotlib makes none, there is none; raises what `Commands.run` raises.
    """
    if _MATPLOTLIB not in commands.base.identity.distributions or any(directory.glob(_LIST)):
        return
    made = commands.scratch / "fonts"
    made.mkdir()
    environment = {"MPLCONFIGDIR": str(made), "HOME": str(commands.scratch), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    argv = (str(commands.base.python), "-I", "-c", "import matplotlib.font_manager")
    commands.run(argv, environment)
    directory.mkdir(parents=True, exist_ok=True)
    with Beneath(made, private=True) as left:
        for name in sorted(path.name for path in made.glob(_LIST)):
            with suppress(TooLarge):
                if left.is_plain(name):
                    replace_whole(directory / name, left.read(name, _BYTES_MAX), 0o644)
