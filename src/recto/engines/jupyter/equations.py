"""Displayed equations with labels (`$$ x $$ {#eq-x}`), which pandoc reads as text, and their numbers. Pure."""

from __future__ import annotations

import re
from typing import Any

from recto.engines.jupyter.tree import Element, attributes, changed, words

_LABEL = re.compile(r"\{#(eq-[\w.:-]+)\}")


def numbered_equations(blocks: Any) -> tuple[Any, dict[str, list[Element]]]:
    """The blocks with a number at each labelled equation, and what a reference to each label says."""
    labels: dict[str, list[Element]] = {}

    def number(element: Element) -> Element | None:
        if element["t"] not in ("Para", "Plain"):
            return None
        return {"t": element["t"], "c": _numbered(element["c"], labels)}

    return changed(blocks, number), labels


def _numbered(inlines: list[Element], labels: dict[str, list[Element]]) -> list[Element]:
    done: list[Element] = []
    for inline in inlines:
        label = _LABEL.match(inline["c"]) if inline["t"] == "Str" else None
        equation = next((at for at in (-1, -2) if _is_equation(done[at:][:1]) and _only_space(done[at:][1:])), None)
        if label is None or equation is None or label[1] in labels:
            done.append(inline)
            continue
        number = len(labels) + 1
        labels[label[1]] = words(f"Equation {number}")
        formula = done[equation]["c"][1].rstrip()
        math = {"t": "Math", "c": [{"t": "DisplayMath"}, f"{formula} \\qquad ({number})"]}
        rest = inline["c"][label.end() :]
        done[equation:] = [
            {"t": "Span", "c": [attributes(label[1]), [math]]},
            *([{"t": "Str", "c": rest}] if rest else []),
        ]
    return done


def _is_equation(inlines: list[Element]) -> bool:
    return bool(inlines) and inlines[0]["t"] == "Math" and inlines[0]["c"][0]["t"] == "DisplayMath"


def _only_space(inlines: list[Element]) -> bool:
    return all(inline["t"] in ("Space", "SoftBreak") for inline in inlines)
