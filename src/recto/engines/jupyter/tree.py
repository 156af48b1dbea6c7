"""pandoc's document tree (its JSON form): walking it and making its elements. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# One element: `{"t": type, "c": contents}`.
Element = dict[str, Any]
Change = Callable[[Element], "Element | list[Element] | None"]


def walk(node: Any) -> Iterator[Element]:
    """Every element in document order, outer before inner."""
    if isinstance(node, list):
        for item in node:
            yield from walk(item)
    elif isinstance(node, dict):
        if "t" in node:
            yield node
        for value in node.values():
            yield from walk(value)


def changed(node: Any, change: Change) -> Any:
    """The tree with each element replaced by what `change` says, inner before outer: an element, several, or None
    for the element as it is."""
    if isinstance(node, list):
        items: list[Any] = []
        for item in node:
            new = changed(item, change)
            items.extend(new if isinstance(new, list) and isinstance(item, dict) else [new])
        return items
    if not isinstance(node, dict):
        return node
    inner = {key: changed(value, change) for key, value in node.items()}
    if "t" not in inner:
        return inner
    new = change(inner)
    return inner if new is None else new


def classes(element: Element) -> list[str]:
    """The classes of a Div, Span, Code or CodeBlock; of other elements, none."""
    return list(element["c"][0][1]) if element["t"] in ("Div", "Span", "Code", "CodeBlock") else []


def words(text: str) -> list[Element]:
    """Inline elements that show the text."""
    return [{"t": "Str", "c": text.replace(" ", "\u00a0")}]


def plain_text(inlines: Any) -> str:
    """What inline elements say, without their form."""
    parts = {"Space": " ", "SoftBreak": " ", "LineBreak": " "}
    return "".join(parts.get(e["t"], e["c"] if e["t"] == "Str" else "") for e in walk(inlines))


def attributes(name: str = "", *names: str, **values: str) -> list[Any]:
    """An element's id, classes and key-value pairs; `_` in a key stands for `-`."""
    return [name, list(names), [[key.replace("_", "-"), value] for key, value in values.items()]]
