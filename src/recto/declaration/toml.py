"""TOML to tables, within bounds."""

from __future__ import annotations

from recto.declaration.caps import TOML_LINE_DOTS
from recto.declaration.showing import shown
from recto.declaration.table import Other, Value
from recto.declaration.text import Unreadable, lines_of


def load(text: str) -> dict[str, object]:
    """The document's table; raises Unreadable."""
    for number, line in enumerate(lines_of(text), 1):
        if line.count(".") > TOML_LINE_DOTS:
            raise Unreadable(f"line {number} has more than {TOML_LINE_DOTS} dots")
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except ValueError as error:  # also what numbers and dates without bounds raise
        raise Unreadable(_reason(error)) from None


def value_of(item: object, lines: list[str], after: int = 0) -> Value:
    """The item with the line it stands on: the first one below line `after` that holds its text in quotes."""
    if isinstance(item, list):
        return Value(tuple(value_of(each, lines, after) for each in item), after or None)
    if isinstance(item, dict):
        return Value({str(key): value_of(each, lines, after) for key, each in item.items()}, after or None)
    if isinstance(item, str):
        return Value(item, line_of((f'"{item}"', f"'{item}'"), lines, after))
    # A date of TOML reads as its ISO text; a number or a truth value stays what it is.
    text = str(item)
    is_date = type(item).__name__ == "date"
    return Value(text if is_date else Other(text), line_of((text,), lines, after))


def line_of(texts: tuple[str, ...], lines: list[str], after: int = 0) -> int | None:
    """The number of the first line below line `after` that holds one of the texts; lines count from 1."""
    found = (number for number, line in enumerate(lines[after:], after + 1) if any(text in line for text in texts))
    return next(found, None)


def _reason(error: ValueError) -> str:
    return shown(str(error) if type(error).__name__ == "TOMLDecodeError" else "a number is out of bounds", 120)
