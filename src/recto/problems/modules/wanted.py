"""Which module an import was for: Python names only the first part of it that is not there."""

from __future__ import annotations

import ast
import re

# A statement in brackets may go on for some lines.
_LINES_MAX = 20
_UNKNOWN_LOCATION = re.compile(r"cannot import name '(\w{1,100})' from '([\w.]{1,200})' \(unknown location\)")
# `----> 3 from google.cloud import storage`
_POINTED = re.compile(r"^-{1,12}> {1,8}\d{1,6} (.{1,1000})$", re.MULTILINE)


def wanted(module: str, lines: list[str]) -> tuple[str, ...]:
    """What the import statement at the beginning of `lines` asks for at or below `module`, in full; or nothing.

    What follows `import` in `from a import b` may be a module or any other name, and counts as one here.
    `from google.cloud import storage` fails with `No module named 'google'`, which many distributions share.
    """
    asked = [name for name in _imported(lines) if name == module or name.startswith(f"{module}.")]
    return tuple(dict.fromkeys(asked))


def traced(module: str, traceback: str) -> tuple[str, ...]:
    """The same of the statement that a traceback of IPython points at, the innermost that asks for the module."""
    asked = (wanted(module, [line]) for line in reversed(_POINTED.findall(traceback)))
    return next(filter(None, asked), ())


def missing_submodule(message: str) -> str | None:
    """The module that an ImportError is about, where its parent is a namespace that other packages have made.

    A package with a file of its own has a location, and lacks a name then, not a distribution.
    """
    found = _UNKNOWN_LOCATION.search(message)
    return None if found is None else f"{found[2]}.{found[1]}"


def _imported(lines: list[str]) -> list[str]:
    for count in range(1, min(len(lines), _LINES_MAX) + 1):
        try:
            tree = ast.parse("\n".join([lines[0].strip(), *lines[1:count]]))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return [name for statement in tree.body for name in _names(statement)]
    return []


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names]
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        return [f"{statement.module}.{alias.name}" for alias in statement.names if alias.name != "*"]
    return []
