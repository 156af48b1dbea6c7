"""Who an interpreter is: asked once, remembered until its files change."""

from __future__ import annotations

from recto.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from recto.interpreters.asking import Interpreters, probe
    from recto.interpreters.base import Base, check_python, missing_render_stack
    from recto.interpreters.memory import Fingerprint

__all__ = ["Base", "Fingerprint", "Interpreters", "check_python", "missing_render_stack", "probe"]

# `recto run` uses `states` alone.
__getattr__ = deferred(
    __name__,
    {
        "Base": "recto.interpreters.base",
        "Fingerprint": "recto.interpreters.memory",
        "Interpreters": "recto.interpreters.asking",
        "check_python": "recto.interpreters.base",
        "missing_render_stack": "recto.interpreters.base",
        "probe": "recto.interpreters.asking",
    },
)
