"""Sets one typst file as a PDF. A script: `python typesetting.py SOURCE TARGET`; it reads nothing outside of SOURCE's
directory but fonts."""

from __future__ import annotations

import sys
from pathlib import Path

import typst


def main(source: str, target: str) -> None:
    """Writes the PDF; ends with status 1 and typst's own words where the text cannot be set."""
    try:
        typst.compile(source, output=target, root=str(Path(source).parent))
    except typst.TypstError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
