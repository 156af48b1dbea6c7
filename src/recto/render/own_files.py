"""Modules that are files of the project itself, wherever in it they lie."""

from __future__ import annotations

import os
from pathlib import Path

# A project may be somebody's whole home directory.
_ENTRIES_MAX = 5_000
_DEPTH_MAX = 5
_FOUND_MAX = 3
_SKIPPED = frozenset({"__pycache__", "_site", "_book", "node_modules", "site-packages"})


def own_files(root: Path, module: str) -> tuple[str, ...]:
    """The files `module.py` and packages `module/` of a project, relative to it with `/`; the first few, nearest first.

    Looks at 5,000 entries, five directories deep, and at no link, hidden directory or virtual environment.
    """
    found: list[str] = []
    left, level = _ENTRIES_MAX, [root]
    for _ in range(_DEPTH_MAX + 1):
        below: list[Path] = []
        for directory in level:
            names, directories = _listed(directory, left)
            left -= len(names)
            if f"{module}.py" in names:
                found.append((directory / f"{module}.py").relative_to(root).as_posix())
            elif module in directories and _is_package(directory / module):
                found.append((directory / module).relative_to(root).as_posix() + "/")
            below += [directory / name for name in sorted(directories) if name not in _SKIPPED and name[0] != "."]
        if len(found) >= _FOUND_MAX or left <= 0:
            break
        level = below
    return tuple(found[:_FOUND_MAX])


def _listed(directory: Path, most: int) -> tuple[set[str], set[str]]:
    """The names in a directory and those of its directories; nothing of what is no part of the project."""
    names, directories = set[str](), set[str]()
    try:
        with os.scandir(directory) as entries:
            for entry, _ in zip(entries, range(most), strict=False):
                names.add(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    directories.add(entry.name)
    except OSError:
        return set(), set()
    return (set(), set()) if "pyvenv.cfg" in names else (names, directories)


def _is_package(directory: Path) -> bool:
    return any(name.endswith(".py") for name in _listed(directory, _ENTRIES_MAX)[0])
