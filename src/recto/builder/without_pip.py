"""What stands where pip would be: environments are shared and read-only, so pip in a cell is answered, not obeyed."""

from __future__ import annotations

from pathlib import Path

from recto.builder.layer import site_packages

_ANSWER = Path(__file__).with_name("pip_answer")

# Relative to itself, so that it works after the environment was renamed.
_SCRIPT = '#!/bin/sh\nexec "$(dirname -- "$0")/python" -I -m pip "$@"\n'


def write_pip_answer(directory: Path) -> bool:
    """Whether `pip` in the environment answers with the line to declare: not where the lock installed pip itself.

    `%pip install` runs `python -m pip` in the kernel, `!pip install` the script of that name. A pip that the base has
    is hidden: what it installs would go nowhere that the next render sees.
    """
    package = site_packages(directory) / "pip"
    if package.exists():
        return False
    package.mkdir()
    for name in ("__init__.py", "__main__.py"):
        (package / name).write_text((_ANSWER / name).read_text("utf-8"), "utf-8")
    for name in ("pip", "pip3"):
        script = directory / "bin" / name
        script.write_text(_SCRIPT, encoding="utf-8")
        script.chmod(0o755)
    return True
