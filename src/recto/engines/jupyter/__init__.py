"""The built-in engine: Jupyter runs the cells, pandoc and typst write the output."""

from __future__ import annotations

from recto.deferred import deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from recto.engines.jupyter.engine import JupyterEngine

__all__ = ["JupyterEngine"]

# A head start needs a runner, and is there to run beside the import of the rest.
__getattr__ = deferred(__name__, {"JupyterEngine": "recto.engines.jupyter.engine"})
