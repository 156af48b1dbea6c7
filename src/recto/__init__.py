"""Recto: per-project Python packages for Quarto and notebook documents.

The names below are the library; everything else may change without notice. They are imported when they are first
used, because the command line stands before every process that it starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recto.app import App
    from recto.declaration import Declaration, declare
    from recto.environments import Environment, Environments
    from recto.policy import Grant
    from recto.problems import Problem, RectoError

__version__ = "0.1.0"
__all__ = [
    "App",
    "Declaration",
    "Environment",
    "Environments",
    "Grant",
    "Problem",
    "RectoError",
    "__version__",
    "declare",
]

_HOMES = {
    "App": "recto.app",
    "Declaration": "recto.declaration",
    "Environment": "recto.environments",
    "Environments": "recto.environments",
    "Grant": "recto.policy",
    "Problem": "recto.problems",
    "RectoError": "recto.problems",
    "declare": "recto.declaration",
}


def __getattr__(name: str) -> object:
    """A name of the library, imported now (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'recto' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
