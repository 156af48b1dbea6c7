"""Recto: per-project Python packages for Quarto and notebook documents."""

__version__ = "0.1.0"
__all__ = ["__version__"]
