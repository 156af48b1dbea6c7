"""Who an interpreter is: asked once, remembered until its files change."""

from recto.interpreters.base import Base, check_python, missing_render_stack
from recto.interpreters.probe import Interpreters, probe

__all__ = ["Base", "Interpreters", "check_python", "missing_render_stack", "probe"]
