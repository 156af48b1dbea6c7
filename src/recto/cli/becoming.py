"""The command that `recto run` becomes: its variables, and the exec."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn


def become(argv: Sequence[str], variables: Mapping[str, str], keep_open: Iterable[int]) -> NoReturn:
    """Puts the command in this process's place, with descriptors that hold its environment; OSError if it cannot."""
    for descriptor in keep_open:
        os.set_inheritable(descriptor, True)
    os.execvpe(argv[0], list(argv), variables)


def variables(python: str, prefix: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The inherited variables, with those that choose a Python set to the environment's."""
    chosen = {name: value for name, value in inherited.items() if name not in ("PYTHONHOME", "JUPYTER_PATH")}
    return {
        **chosen,
        "QUARTO_PYTHON": python,
        "VIRTUAL_ENV": prefix,
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PATH": os.pathsep.join((f"{prefix}/bin", chosen.get("PATH", os.defpath))),
    }
