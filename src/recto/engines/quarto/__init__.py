"""The Quarto engine: `quarto render` under one interpreter, with proof that the cells ran there."""

from recto.engines.quarto.engine import QuartoEngine

__all__ = ["QuartoEngine"]
