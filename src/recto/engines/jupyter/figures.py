"""Figures, tables and equations with numbers, and the places in the text that refer to them. Pure."""

from __future__ import annotations

from typing import Any

from recto.engines.jupyter.equations import numbered_equations
from recto.engines.jupyter.tree import Element, attributes, changed, classes, plain_text, walk, words

_NAMES = {"fig": "Figure", "tbl": "Table"}
# What is no citation whatever it refers to (Quarto reserves these).
_REFERENCES = ("fig-", "tbl-", "eq-", "sec-", "lst-", "thm-")


def with_figures(blocks: Any) -> Any:
    """The blocks with captions in their places and numbers in front, and `@fig-x`, `@tbl-x`, `@eq-x`, `@sec-x` made
    links. A reference to nothing is shown as it was written, in bold."""
    built, equations = numbered_equations(changed(blocks, _built))
    labels = {**equations, **_labels(built)}
    return changed(built, lambda element: _resolved(element, labels))


def tables_as_figures(blocks: Any) -> Any:
    """The blocks with captioned tables as figures, which typst sets with the caption on top, on one page if it can.

    What only groups blocks for a page's style is taken away: typst would not centre what is inside.
    """
    return changed(blocks, _table_figure)


def _table_figure(element: Element) -> Element | list[Element] | None:
    if {"cell", "cell-output"} & set(classes(element)) and element["t"] == "Div":
        inner: list[Element] = element["c"][1]
        return inner
    if "captioned-table" not in classes(element):
        return None
    caption = [inner for block in element["c"][1] if "table-caption" in classes(block) for inner in block["c"][1]]
    body = [block for block in element["c"][1] if "table-caption" not in classes(block)]
    return {"t": "Figure", "c": [attributes(element["c"][0][0]), [None, caption], body]}


def _built(element: Element) -> Element | None:
    names = classes(element)
    if "recto-figure" in names:
        caption, body = _parts(element)
        inner = [{"t": "Plain", "c": block["c"]} if block["t"] == "Para" else block for block in body]
        return {"t": "Figure", "c": [attributes(element["c"][0][0]), [None, caption], inner]}
    if "recto-table" in names:
        caption, body = _parts(element)
        style = attributes("", "table-caption", custom_style="Table Caption")
        head = [{"t": "Div", "c": [style, caption]}] if caption else []
        return {"t": "Div", "c": [attributes(element["c"][0][0], "captioned-table"), [*head, *body]]}
    return None


def _parts(element: Element) -> tuple[list[Element], list[Element]]:
    """The caption's blocks and the others."""
    caption: list[Element] = []
    body: list[Element] = []
    for block in element["c"][1]:
        if "recto-caption" in classes(block):
            caption = block["c"][1]
        else:
            body.append(block)
    return caption, body


def _labels(blocks: Any) -> dict[str, list[Element]]:
    """What a reference to each label says, in the order of the document; captions get their numbers on the way."""
    found: dict[str, list[Element]] = {}
    counts = dict.fromkeys(_NAMES, 0)
    for element in walk(blocks):
        name = _label(element)
        kind = name.split("-")[0]
        if kind == "sec" and element["t"] == "Header":
            found[name] = element["c"][2]
        elif kind in _NAMES and element["t"] in ("Figure", "Table", "Div") and name not in found:
            counts[kind] += 1
            found[name] = words(f"{_NAMES[kind]} {counts[kind]}")
            _number(element, f"{_NAMES[kind]} {counts[kind]}")
    return found


def _label(element: Element) -> str:
    kind = element["t"]
    if kind == "Header":
        return str(element["c"][1][0])
    return str(element["c"][0][0]) if kind in ("Figure", "Table", "Div") else ""


def _number(element: Element, number: str) -> None:
    """Puts the number in front of the element's caption."""
    caption = _caption(element)
    separator = ": " if caption and plain_text(caption).strip() else ""
    start = [*words(number), *([{"t": "Str", "c": ":"}, {"t": "Space"}] if separator else [])]
    if caption and caption[0]["t"] in ("Para", "Plain"):
        caption[0]["c"][:0] = start
    else:
        caption.insert(0, {"t": "Plain", "c": start})


def _caption(element: Element) -> list[Element]:
    """The list of blocks that is the caption, to be changed in place."""
    if element["t"] != "Div":
        blocks: list[Element] = element["c"][1][1]
        return blocks
    for block in element["c"][1]:
        if "table-caption" in classes(block):
            inside: list[Element] = block["c"][1]
            return inside
    made: list[Element] = []
    element["c"][1].insert(0, {"t": "Div", "c": [attributes("", "table-caption"), made]})
    return made


def _resolved(element: Element, labels: dict[str, list[Element]]) -> list[Element] | None:
    if element["t"] != "Cite":
        return None
    names = [citation["citationId"] for citation in element["c"][0]]
    if not all(name in labels or name.startswith(_REFERENCES) for name in names):
        return None
    links: list[Element] = []
    for name in names:
        links += [{"t": "Str", "c": ","}, {"t": "Space"}] if links else []
        if name in labels:
            links.append({"t": "Link", "c": [attributes("", "reference"), labels[name], [f"#{name}", ""]]})
        else:
            links.append({"t": "Strong", "c": words(f"?@{name}")})
    return links
