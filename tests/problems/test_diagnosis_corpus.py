"""The open half of the collection of real failure logs: the right cause first, the right package with it."""

from __future__ import annotations

import json
import runpy
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from recto.problems import KINDS, Problem
from recto.problems.diagnosis import decode, diagnose

LOGS = Path(__file__).parents[3] / "shared" / "corpus" / "logs"
LABELS = LOGS / "labels.jsonl"

pytestmark = pytest.mark.skipif(not LABELS.exists(), reason="the collection of real logs is not beside the repository")


@dataclass(frozen=True, slots=True)
class Case:
    """A log with its label, and what the diagnosis makes of it."""

    name: str
    kind: str
    package: str | None
    line: int | None
    problems: tuple[Problem, ...]

    @property
    def first(self) -> Problem:
        return self.problems[0]

    @property
    def right_package(self) -> bool:
        return _normal(self.first.package) == _normal(self.package)


def _normal(name: str | None) -> str:
    return (name or "").lower().replace("_", "-")


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    labels = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    return [
        Case(
            label["id"],
            label["kind"],
            label["package"],
            label["line_hint"],
            diagnose(decode((LOGS / f"{label['id']}.log").read_bytes())),
        )
        for label in labels
    ]


def test_the_right_cause_comes_first_in_at_least_95_of_100_logs(cases: list[Case]) -> None:
    right = sum(case.kind == case.first.code for case in cases)

    # Shown with `-rP`.
    sys.stdout.write(_confusion(cases))
    assert right >= 0.95 * len(cases), _confusion(cases)


def _confusion(cases: list[Case]) -> str:
    """The table of labels against first codes, the wrong ones marked with the logs they come from."""
    pairs = Counter((case.kind, case.first.code) for case in cases)
    rows = [""]
    for (wanted, got), count in sorted(pairs.items()):
        wrong = [case.name for case in cases if (case.kind, case.first.code) == (wanted, got) and wanted != got]
        rows.append(f"{count:3}  {wanted:26} {got:26} {' '.join(wrong)}")
    return "\n".join(rows)


def test_the_right_package_is_named_in_at_least_95_of_100_logs_that_have_one(cases: list[Case]) -> None:
    named = [case for case in cases if case.package]

    right = sum(case.right_package for case in named)

    assert right >= 0.95 * len(named), [(case.name, case.package, case.first.package) for case in named]


def test_the_line_that_a_log_names_is_the_source_of_the_problem(cases: list[Case]) -> None:
    for case in cases:
        if case.line is not None:
            assert case.first.source is not None, case.name
            assert case.first.source.line == case.line, case.name


def test_every_code_of_the_collections_taxonomy_is_in_the_catalogue() -> None:
    rows = (LOGS.parent / "README.md").read_text(encoding="utf-8").split("### Taxonomy")[1].split("\n")
    codes = [row.split("|")[2].strip().strip("`") for row in rows if row.startswith("| ") and "`" in row]

    assert len(codes) > 40
    assert [code for code in codes if code not in KINDS] == []


def test_what_is_told_of_real_logs_is_short_and_complete(cases: list[Case]) -> None:
    for case in cases:
        for problem in case.problems:
            assert len(problem.message) <= 400, (case.name, problem.message)
            assert problem.message.endswith("."), (case.name, problem.message)
            assert 0 < len(problem.excerpt) <= 2000, case.name
            assert problem.excerpt.count("\n") < 12, case.name


def test_the_page_of_measurements_is_what_the_logs_give() -> None:
    docs = Path(__file__).parents[2] / "docs"

    page = runpy.run_path(str(docs / "confusion.py"))["confusion_page"]()

    assert (docs / "reference" / "diagnosis.md").read_text("utf-8") == page
