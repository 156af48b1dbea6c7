"""Who an interpreter is: asked once, remembered until its files change."""

from recto.interpreters.base import Base, missing_render_stack
from recto.interpreters.probe import Interpreters, probe

__all__ = ["Base", "Interpreters", "missing_render_stack", "probe"]
