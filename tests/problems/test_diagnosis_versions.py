"""Wordings of the tools across their versions, from their sources and from runs of pip 19 to 25, in `wordings.txt`.

Each begins with a line `==== CODE PACKAGE`; the package is `-` where none is named.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recto.problems.diagnosis import diagnose

_CASES = re.split(
    r"^==== (\S+) (\S+)\n", Path(__file__).with_name("wordings.txt").read_text("utf-8"), flags=re.MULTILINE
)
CASES = list(zip(_CASES[1::3], _CASES[2::3], _CASES[3::3], strict=True))


@pytest.mark.parametrize(("code", "package", "text"), CASES, ids=[f"{n}-{code}" for n, (code, *_) in enumerate(CASES)])
def test_a_wording_of_any_version_has_its_cause(code: str, package: str, text: str) -> None:
    first = diagnose(text)[0]

    assert first.code == code
    assert package == "-" or (first.package or "").lower() == package


@pytest.mark.parametrize(
    "text",
    [
        "Successfully installed foo-1.0\n",
        "Requirement already satisfied: pip in /usr/lib/python3\nSuccessfully installed pip-25.0\n",
        "Output created: paper.html\n",
        "The kernel of this theorem is small. The filter is fine.\n",
    ],
)
def test_a_text_without_an_error_has_no_cause_that_is_recognised(text: str) -> None:
    assert [found.code for found in diagnose(text)] == ["cause-unknown"]
