"""What the runner wrote of the cells, as values of the shape that it writes: its cells could write there too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import MsgspecError, Struct, convert, field


class Value(Struct, frozen=True):
    """What an inline expression gave: Markdown of its own, or a text."""

    markdown: str | None = None
    text: str | None = None


class Item(Struct, frozen=True):
    """What a cell displayed (nbformat 4, not checked here), or the values of the expressions in a text."""

    outputs: list[Any] | None = None
    values: tuple[Value, ...] | None = None


class Ended(Struct, frozen=True):
    """Why running stopped: `item` is the index of what ran, `error` what Jupyter says, `facts` what the kernel knows.

    Both are to be read by `plain`.
    """

    kind: str
    item: int | None = None
    error: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    names: list[str] | None = None


class Result(Struct, frozen=True):
    """What came of the items of one request, in their order, and `sys.prefix` of the kernel that ran them."""

    prefix: str | None = None
    items: tuple[Item, ...] = ()
    failure: Ended | None = None


def plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was said, the numbers, texts and lists of texts."""
    return {name: value for name, value in said.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(part, str) for part in value)
    return not isinstance(value, dict)


def parsed(data: bytes) -> Result:
    """The result in these bytes; ValueError, with a reason, where they have none."""
    try:
        return convert(json.loads(data), Result)
    except MsgspecError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
