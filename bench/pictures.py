"""Curves as SVG, drawn by the base's interpreter, whose curated packages include matplotlib."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.house import House
from bench.output import Run, to_json
from bench.timing import process

DRAWING = Path(__file__).with_name("drawing.py")


def draw(run: Run, directory: Path, house: House) -> None:
    """Writes `DATE-CURVE.svg` for each curve; the same run gives the same bytes."""
    if not house.app.base_python.exists():
        process([house.recto, "base", "build"], house.variables)
    directory.mkdir(parents=True, exist_ok=True)
    words = [str(part) for part in (house.app.base_python, "-I", DRAWING, directory)]
    # Its list of the machine's fonts.
    variables = {**house.variables, "MPLCONFIGDIR": str(house.root / "matplotlib")}
    subprocess.run(words, input=json.dumps(to_json(run)), text=True, check=True, stdout=sys.stderr, env=variables)
