"""Every requirements file of the corpus is read, or refused with places and words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from declaring import CORPUS, applied, asked, needs_corpus
from packaging.requirements import Requirement

from recto.declaration.text import decode, lines_of, logical_lines
from recto.problems import DeclarationError

FILES = sorted(CORPUS.glob("*.txt"))

pytestmark = needs_corpus


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_no_line_of_a_published_file_is_skipped(path: Path) -> None:
    text = decode(path.read_bytes())
    expected = [line.number for line in logical_lines(lines_of(text))]
    # The neighbours that these files include are not in the corpus.
    neighbours = {"requirements.in": "", "more/requirements.txt": "-r ../requirements.in"}
    try:
        declaration = asked({"requirements.txt": path.read_bytes(), **neighbours})
    except DeclarationError as error:
        for problem in error.problems:
            assert problem.source is not None
            assert (problem.source.file, problem.source.line in expected) == ("requirements.txt", True)
            assert problem.message
            assert problem.hint
            assert problem.excerpt
        refused = {problem.source.line for problem in error.problems if problem.source}
        kept = "\n".join("" if n in refused else line for n, line in enumerate(lines_of(text), 1))
        declaration = asked({"requirements.txt": kept, **neighbours})
        assert not refused & {each.source.line for each in declaration.requirements}
        expected = [number for number in expected if number not in refused]
    included = [n for n in expected if lines_of(text)[n - 1].startswith("-r")]
    assert expected == sorted([*(each.source.line or 0 for each in declaration.requirements), *included])


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_what_is_accepted_means_what_packaging_reads(path: Path) -> None:
    lines = {line.number: line.text for line in logical_lines(lines_of(decode(path.read_bytes())))}
    for number, text in lines.items():
        try:
            (declared,) = asked({"requirements.txt": text}).requirements
        except (DeclarationError, ValueError):
            continue
        oracle = Requirement(text)
        assert (oracle.name, oracle.extras) == (declared.requirement.name, declared.requirement.extras), number
        assert (oracle.specifier, oracle.marker) == (declared.requirement.specifier, declared.requirement.marker), (
            number
        )


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_a_file_whose_problems_all_have_fixes_is_mended_by_them(path: Path) -> None:
    files = {"requirements.txt": "\n".join(lines_of(decode(path.read_bytes())))}
    rounds = 0
    while True:
        try:
            asked(files)
            break
        except DeclarationError as error:
            fixes = [problem.fix for problem in error.problems if problem.fix]
            if len(fixes) < len(error.problems):
                break  # some of it is the author's to decide
            # The last one first, so that no edit moves the line of another.
            for fix in reversed(fixes):
                files = applied(fix, files)
        rounds += 1
        assert rounds < 5, "each round mends what it names"


def test_the_corpus_in_figures(capsys: pytest.CaptureFixture[str]) -> None:
    codes, files = Counter[str](), Counter[str]()
    for path in FILES:
        try:
            declaration = asked({"requirements.txt": path.read_bytes()})
            files["accepted"] += 1
            codes.update(f"{remark.code} (remark)" for remark in declaration.remarks)
        except DeclarationError as error:
            files["refused"] += 1
            codes.update(f"{problem.code}{'' if problem.fix else ' (no fix)'}" for problem in error.problems)
    with capsys.disabled():
        print(f"\n{len(FILES)} requirements files: {dict(files)}")  # noqa: T201
        for code, count in codes.most_common():
            print(f"  {count:5} {code}")  # noqa: T201
    assert len(FILES) == files.total()
    assert files["accepted"] > 2 * files["refused"]
