"""Draws the curves of a run: `python drawing.py DIR < RUN.json`, with an interpreter that has matplotlib.

A file of its own because Recto's environment has no matplotlib. What is drawn depends on the run alone.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

Curve = dict[str, Any]

# Light and dark: a page that is shown as dark gets the second of each pair, by a rule in the file.
_INK, _INK_DARK = "#1f2328", "#e6edf3"
_FAINT, _FAINT_DARK = "#d8dee4", "#373e47"
_PAPER, _PAPER_DARK = "#ffffff", "#0d1117"

# After Okabe and Ito, who chose them for eyes of all kinds; the blue is lighter, to be legible on both papers.
_LINES = ("#1f83c4", "#d55e00", "#009e73", "#cc79a7")
_MARKS = ("o", "s", "^", "D")

_SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")),
}


def main() -> None:
    directory, run = Path(sys.argv[1]), json.load(sys.stdin)
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "recto",
            "svg.fonttype": "none",
            "font.family": ["sans-serif"],
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "axes.edgecolor": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "grid.color": _FAINT,
            "figure.facecolor": _PAPER,
            "axes.facecolor": _PAPER,
        }
    )
    for curve in run["curves"]:
        path = directory / f"{run['date']}-{curve['name']}.svg"
        _draw(curve, run, path)
        path.write_text(_for_both_papers(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(path)


def _draw(curve: Curve, run: dict[str, Any], path: Path) -> None:
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.subplots()
    for number, (name, samples) in enumerate(curve["series"].items()):
        _line(axes, name, samples, number)
    figure.suptitle(curve["what"], x=0.015, horizontalalignment="left", fontsize=13)
    axes.set_xlabel(curve["along"])
    axes.set_ylabel({"s": "time, median and range", "bytes": "allocated bytes"}[curve["unit"]])
    if curve["logarithmic"]:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sorted({int(size) for samples in curve["series"].values() for size in samples}))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _amount(value, curve["unit"])))
    axes.grid(True, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9, borderaxespad=0.2)
    figure.supxlabel(_about(run), x=0.015, horizontalalignment="left", fontsize=7)
    figure.savefig(path, metadata={"Date": None, "Creator": None, "Title": curve["what"]})


def _line(axes: Axes, name: str, samples: dict[str, Any], number: int) -> None:
    points = sorted((int(size), sample["values"]) for size, sample in samples.items())
    sizes = [size for size, _ in points]
    middles = [median(values) for _, values in points]
    below = [middle - min(values) for middle, (_, values) in zip(middles, points, strict=True)]
    above = [max(values) - middle for middle, (_, values) in zip(middles, points, strict=True)]
    colour, mark = _LINES[number % len(_LINES)], _MARKS[number % len(_MARKS)]
    axes.errorbar(sizes, middles, [below, above], label=name, color=colour, marker=mark, markersize=5, capsize=3)


def _amount(value: float, unit: str) -> str:
    if value == 0:
        return "0"
    for scale, name in _SCALES[unit]:
        if abs(value) >= scale * 0.999:
            return f"{value / scale:.3g} {name}"
    scale, name = _SCALES[unit][-1]
    return f"{value / scale:.3g} {name}"


def _about(run: dict[str, Any]) -> str:
    facts = [f"{name} {value}" for name, value in run["machine"].items()]
    half = (len(facts) + 1) // 2
    return f"{run['date']}: {', '.join(facts[:half])},\n{', '.join(facts[half:])}"


def _for_both_papers(svg: str) -> str:
    pairs = ((_INK, _INK_DARK), (_FAINT, _FAINT_DARK), (_PAPER, _PAPER_DARK))
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark} !important}}'
        for light, dark in pairs
        for part in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    return re.sub(r"(<svg\b[^>]*>)", lambda found: found[1] + style, svg, count=1)


if __name__ == "__main__":
    main()
