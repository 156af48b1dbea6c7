"""What uv says, as uv 0.13 says it, and what a person gets to read instead."""

from __future__ import annotations

import pytest

from recto.problems import Source
from recto.problems.diagnosis import diagnose

UNSOLVABLE = "error: No solution found when resolving dependencies\n  cause: "
END = ", we can conclude that your requirements are unsatisfiable."


@pytest.mark.parametrize(
    ("proof", "code", "package"),
    [
        (
            "Because pandsa was not found in the package registry and you require pandsa",
            "no-matching-distribution",
            "pandsa",
        ),
        (
            "Because there is no version of polars==99 and you require polars==99",
            "no-matching-version",
            "polars",
        ),
        (
            "Because only polars<=2.1.0 is available and you require polars>=99,<100",
            "no-matching-version",
            "polars",
        ),
        ("Because there are no versions of polars and you require polars", "no-matching-version", "polars"),
        (
            "Because all versions of docopt have no usable wheels and you require docopt",
            "no-wheel",
            "docopt",
        ),
        ("Because docopt==0.6.2 has no usable wheels and you require docopt==0.6.2", "no-wheel", "docopt"),
        (
            "Because pywin32<=302 has no wheels with a matching Python ABI tag (e.g., `cp311`) and only the following "
            "versions of pywin32 are available:\n             pywin32<=302\n             pywin32>=303\n         we "
            "can conclude that pywin32<303 cannot be used.\n         And because pywin32>=303 has no wheels with a "
            "matching platform tag (e.g., `manylinux_2_36_x86_64`) and you require pywin32",
            "wheel-unsupported",
            "pywin32",
        ),
        (
            "Because the current Python version (3.11.7) does not satisfy Python>=3.12 and numpy==2.5.0 depends on "
            "Python>=3.12, we can conclude that numpy==2.5.0 cannot be used.\n      And because you require numpy==2.5",
            "requires-python",
            "numpy",
        ),
    ],
)
def test_a_proof_about_one_package_names_it(proof: str, code: str, package: str) -> None:
    first = diagnose(UNSOLVABLE + proof + END)[0]

    assert (first.code, first.package) == (code, package)


def test_the_missing_version_is_named_with_the_range_that_was_asked_for() -> None:
    proof = "Because only polars<=2.1.0 is available and you require polars>=99,<100"

    assert diagnose(UNSOLVABLE + proof + END)[0].message == "No release of `polars` satisfies `>=99,<100`."


def test_a_conflict_names_the_authors_own_requirements_and_keeps_the_proof_as_excerpt() -> None:
    proof = (
        "Because pandas==2.2.0 depends on numpy{python_full_version < '3.12'}>=1.23.2,<2 and you require "
        "pandas==2.2.0, we can conclude that you require numpy>=1.23.2,<2.\n         And because you require numpy<1.20"
    )

    first = diagnose(UNSOLVABLE + proof + END)[0]

    assert first.code == "dependency-conflict"
    assert first.package == "numpy"
    assert "you require `pandas==2.2.0` and `numpy<1.20`, and `pandas` needs `numpy>=1.23.2,<2`" in first.message
    assert "we can conclude" in first.excerpt


def test_a_conflict_of_a_requirement_with_itself_is_told_as_such() -> None:
    proof = "Because you require six==1.16 and six==1.17"

    first = diagnose(UNSOLVABLE + proof + END)[0]

    assert (first.code, first.package) == ("dependency-conflict", "six")
    assert "you require `six==1.16` and `six==1.17`" in first.message


def test_a_refused_index_is_the_cause_of_a_package_that_seems_unknown() -> None:
    text = (
        f"{UNSOLVABLE}Because six was not found in the package registry and you require six{END}\n\n"
        "hint: An index (http://127.0.0.1:8181/403/simple) returned a 403 Forbidden error."
    )

    assert [problem.code for problem in diagnose(text)] == ["index-auth", "no-matching-distribution"]


def test_a_line_that_is_no_requirement_is_quoted_with_the_way_to_write_it() -> None:
    text = (
        "error: Couldn't parse requirement in `requirements.txt` at position 7\n"
        '  cause: no such comparison operator "=", must be one of ~= == != <= >= < > ===\n'
        "         polars = 1.2\n                ^^^^^\n"
    )

    first = diagnose(text)[0]

    assert (first.code, first.package, first.source) == ("invalid-requirement", "polars", Source("requirements.txt"))
    assert "`polars = 1.2`" in first.message
    assert "`polars==1.2`" in first.hint


def test_the_older_frames_of_uv_read_the_same() -> None:
    text = (
        "  × No solution found when resolving dependencies:\n"
        "  ╰─▶ Because only polars<=2.1.0 is available and you require\n"
        "      polars>=99, we can conclude that your requirements are\n"
        "      unsatisfiable.\n"
    )

    assert diagnose(text)[0].message == "No release of `polars` satisfies `>=99`."


@pytest.mark.parametrize(
    ("proof", "message"),
    [
        (
            "Because there is no version of polars[pandas]==99 and you require polars[pandas]==99",
            "No release of `polars` satisfies `==99`.",
        ),
        (
            "Because only polars<=2.1.0 is available and you require one of:\n             polars>=99,<99.5\n"
            "             polars>99.5,<100\n         we can conclude",
            "No release of `polars` satisfies `>=99,<100,!=99.5`.",
        ),
        (
            "Because only the following versions of six are available:\n             six<1\n             six>2\n"
            "         and you require one of:\n             six>=1,<1.2\n             six>1.2,<1.3\n"
            "             six>=1.4,<2\n         we can conclude",
            "No release of `six` satisfies `>=1,<1.3,!=1.2 or >=1.4,<2`.",
        ),
        (
            "Because requests[socks]==2.31.0 depends on one of:\n             pysocks>=1.5.6,<1.5.7\n"
            "             pysocks>1.5.7\n         and you require requests[socks]==2.31.0, we can conclude that you "
            "require one of:\n             pysocks>=1.5.6,<1.5.7\n             pysocks>1.5.7\n\n"
            "         And because you require pysocks<1.5",
            "The requirements cannot be met together: you require `requests[socks]==2.31.0` and `pysocks<1.5`, and "
            "`requests` needs `pysocks>=1.5.6,!=1.5.7`.",
        ),
        (
            "Because scipy==1.8.0 depends on numpy>=1.17.3,<1.25.0 and your project depends on numpy==1.26.0, we can "
            "conclude that your project and scipy==1.8.0 are incompatible.\n         And because your project "
            "depends on scipy==1.8.0",
            "The requirements cannot be met together: you require `numpy==1.26.0` and `scipy==1.8.0`, and `scipy` "
            "needs `numpy>=1.17.3,<1.25.0`.",
        ),
        (
            "Because the current Python version (3.11.7) does not satisfy Python>=3.8,<3.11 and scipy==1.8.0 depends "
            "on Python>=3.8,<3.11, we can conclude that scipy==1.8.0 cannot be used.\n         And because you require "
            "scipy==1.8.0",
            "`scipy` needs another Python: >=3.8,<3.11, and this is 3.11.7.",
        ),
    ],
)
def test_ranges_extras_and_lists_are_told_as_their_author_wrote_them(proof: str, message: str) -> None:
    assert diagnose(UNSOLVABLE + proof + END)[0].message == message


def test_a_proof_of_one_clause_is_a_clash_of_the_ranges_of_one_package() -> None:
    text = f"{UNSOLVABLE}you require six==1.16.0 and six!=1.16.0, which are incompatible"

    first = diagnose(text)[0]

    assert (first.code, first.package) == ("dependency-conflict", "six")
    assert first.message == "The requirements cannot be met together: you require `six==1.16.0` and `six!=1.16.0`."


@pytest.mark.parametrize(
    "text",
    [
        "ERROR: Could not find a version that satisfies the requirement six==99 (from versions: 1.16, 1.17)\n"
        "ERROR: No matching distribution found for six==99\n",
        "ERROR: Could not find a version that satisfies the requirement six==99\n"
        "ERROR: No matching distribution found for six==99\n",
    ],
)
def test_a_version_that_does_not_exist_is_not_told_again_as_a_package_that_does_not(text: str) -> None:
    assert [found.code for found in diagnose(text)] == ["no-matching-version"]
