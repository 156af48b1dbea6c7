"""Callouts (Quarto's `::: {.callout-note}`), with a title that is no heading of the document. Pure."""

from __future__ import annotations

from typing import Any

from recto.engines.jupyter.assembly import Target
from recto.engines.jupyter.tree import Element, attributes, changed, classes, words

_COLOURS = {
    "note": "#0b5cad",
    "tip": "#2f7a34",
    "warning": "#a85400",
    "caution": "#a85400",
    "important": "#b3261e",
}


def with_callouts(blocks: Any, target: Target) -> Any:
    """The blocks with a title in each callout, and for a PDF with its frame, which a page gets from its style."""
    return changed(blocks, lambda element: _titled(element, target))


def _titled(element: Element, target: Target) -> Element | list[Element] | None:
    if element["t"] != "Div":
        return None
    kind = next((name[8:] for name in classes(element) if name[:8] == "callout-" and name[8:] in _COLOURS), None)
    if kind is None:
        return None
    body: list[Element] = element["c"][1]
    given = dict(element["c"][0][2]).get("title")
    title = words(given or kind.capitalize())
    if not given and body and body[0]["t"] == "Header":
        title, body = body[0]["c"][2], body[1:]
    inner = [{"t": "Para", "c": [{"t": "Strong", "c": title}]}, *body]
    if target != "pdf":
        return {"t": "Div", "c": [attributes(element["c"][0][0], f"callout-{kind}"), inner]}
    frame = f'#block(width: 100%, inset: 9pt, fill: luma(97%), stroke: (left: 2.5pt + rgb("{_COLOURS[kind]}")))['
    return [_typst(frame), *inner, _typst("]")]


def _typst(text: str) -> Element:
    return {"t": "RawBlock", "c": ["typst", text]}
