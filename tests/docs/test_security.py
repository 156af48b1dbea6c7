"""The page on security is held to the tests that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_PROMISES = re.compile(r"^## What is promised.*?(?=^## )", re.MULTILINE | re.DOTALL)


def test_every_test_that_the_page_names_exists() -> None:
    named = _TEST.findall(PAGE.read_text())
    missing = [f"{file}::{name}" for file, name in named if name not in named_in(ROOT / file)]

    assert named
    assert missing == []


def test_every_promise_names_a_test() -> None:
    (section,) = _PROMISES.findall(PAGE.read_text())
    rows = [
        line for line in section.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
    ]

    assert len(rows) > 10
    assert [row for row in rows if not _TEST.search(row)] == []


def test_every_row_of_a_table_has_the_cells_of_its_heading() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.MULTILINE)
    cells = [[line.count(" | ") for line in table.splitlines() if not line.startswith("| ---")] for table in tables]

    assert len(tables) >= 4
    assert [found for found in cells if len(set(found)) > 1] == []


def named_in(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}
