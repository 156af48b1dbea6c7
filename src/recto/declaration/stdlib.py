"""Names of Python's own modules, asked for as if they were packages."""

from __future__ import annotations

import sys

# Distributions that share their name with a module and have a use: backports that old pins still list, and Zope's
# DateTime. Anything else of such a name is empty, broken on today's Python, or a trap.
_DISTRIBUTIONS = frozenset({"argparse", "configparser", "contextvars", "dataclasses", "datetime", "typing"})


def is_stdlib(name: str) -> bool:
    """Whether Python itself has a module of this name."""
    return _module(name) in sys.stdlib_module_names


def is_backport(name: str) -> bool:
    """Whether a distribution of this name is nevertheless worth installing."""
    return _module(name) in _DISTRIBUTIONS


def _module(name: str) -> str:
    return name.lower().replace("-", "_")
