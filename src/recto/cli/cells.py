"""Cells of a table for spreadsheets."""

from __future__ import annotations

import re

from recto.problems.forms.printable import one_line

# What a spreadsheet takes for a formula, also in its wide form. After a separator, too: where a decimal comma is the
# custom, spreadsheets divide a line at its semicolons, whatever the commas and quotation marks say.
_FORMULA = re.compile(r"(^|[,;|\t\"])(\s*)(?=[=+\-@＝＋－＠])")


def cell(value: str | int | None) -> str:
    """The value as a text that no spreadsheet computes and no terminal obeys; an apostrophe stands before a formula."""
    return "" if value is None else _FORMULA.sub(r"\1\2'", one_line(str(value)))
