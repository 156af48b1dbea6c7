"""Recto: per-project Python packages for Quarto and notebook documents.

The names below are the library; everything else may change without notice. They are imported when they are first
used, because the command line stands before every process that it starts.
"""

from __future__ import annotations

from recto.deferred import deferred
from recto.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from recto.app import App
    from recto.declaration import Declaration, declare
    from recto.environments import Environment, Environments
    from recto.policy import Grant
    from recto.problems import Problem, RectoError

__version__ = VERSION
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

__getattr__ = deferred(
    __name__,
    {
        "App": "recto.app",
        "Declaration": "recto.declaration",
        "Environment": "recto.environments",
        "Environments": "recto.environments",
        "Grant": "recto.policy",
        "Problem": "recto.problems",
        "RectoError": "recto.problems",
        "declare": "recto.declaration",
    },
)
