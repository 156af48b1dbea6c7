"""Every code of the catalogue is held to a test that makes its failure really happen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from recto.problems import KINDS

TESTS = Path(__file__).parents[1]


class Marked(Struct, frozen=True):
    """A test marked with `makes`: its codes, and every text that it or a table of its module holds."""

    name: str
    codes: tuple[str, ...]
    texts: frozenset[str]
    body: ast.FunctionDef

    def hands_over_a_text(self) -> bool:
        """Whether a text that somebody wrote down is diagnosed, instead of what a tool says."""
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "diagnose"
            and any(isinstance(given, ast.Constant | ast.JoinedStr) for given in node.args)
            for node in ast.walk(self.body)
        )

    def is_skipped(self) -> bool:
        return any("skip" in ast.unparse(one) or "xfail" in ast.unparse(one) for one in self.body.decorator_list)


def marked_tests() -> Iterator[Marked]:
    for path in sorted(TESTS.rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        tables = {
            target.id: node.value
            for node in module.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for test in module.body:
            if not isinstance(test, ast.FunctionDef):
                continue
            marks = [one for one in test.decorator_list if ast.unparse(one).startswith("pytest.mark.makes(")]
            if marks:
                codes = tuple(text for mark in marks for text in texts_in(mark))
                yield Marked(f"{path.name}::{test.name}", codes, texts_beside(test, marks, tables), test)


def texts_beside(test: ast.FunctionDef, marks: list[ast.expr], tables: dict[str, ast.expr]) -> frozenset[str]:
    parts = [*test.body, *(one for one in test.decorator_list if one not in marks)]
    names = {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}
    return frozenset(
        text for part in [*parts, *(tables[name] for name in names & tables.keys())] for text in texts_in(part)
    )


def texts_in(tree: ast.AST) -> list[str]:
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


MARKED = tuple(marked_tests())


def test_every_code_of_the_catalogue_is_made_to_happen_and_no_other() -> None:
    made = {code for test in MARKED for code in test.codes}
    assert (sorted(KINDS.keys() - made), sorted(made - KINDS.keys())) == ([], [])


def test_what_is_said_to_make_a_code_asks_for_it() -> None:
    assert [(test.name, code) for test in MARKED for code in test.codes if code not in test.texts] == []


def test_what_makes_a_failure_happen_runs_and_diagnoses_no_text_of_ours() -> None:
    assert [test.name for test in MARKED if test.is_skipped() or test.hands_over_a_text()] == []
