"""The built-in engine: Jupyter runs the cells, pandoc and typst write the output."""

from recto.engines.jupyter.engine import JupyterEngine

__all__ = ["JupyterEngine"]
