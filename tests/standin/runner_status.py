"""What the stand-in's notebook runner imports from its own directory, as Quarto's does."""

from __future__ import annotations

import sys


def status(text: str) -> None:
    """Says something while cells run."""
    sys.stderr.write(text)
    sys.stderr.flush()
