"""A project's own `pylock.toml`."""

from __future__ import annotations

import pytest
from declaring import asked, only, refused

from recto.declaration import caps
from recto.problems import Source

HASH = "0" * 64
HEAD = 'lock-version = "1.0"\ncreated-by = "test"\nrequires-python = ">=3.11"\n'


def wheel(where: str, hashes: str = f'sha256 = "{HASH}"') -> str:
    return f"{{{where}, hashes = {{{hashes}}}}}"


HTTPS = 'url = "https://x/a-1.2-py3-none-any.whl"'


def package(name: str, file: str = "", extra: str = "") -> str:
    wheels = file or wheel(f'url = "https://files.example/{name}-1.2-py3-none-any.whl"')
    return f'[[packages]]\nname = "{name}"\nversion = "1.2"\nwheels = [{wheels}]\n{extra}'


@pytest.mark.makes("declaration-lock-wins")
def test_a_lock_stands_for_the_project_level_requirements() -> None:
    files = {
        "pylock.toml": HEAD + package("polars") + package("duckdb"),
        "requirements.txt": "polars\n-e broken",
        "pyproject.toml": "[project]\ndependencies = ['os']\nrequires-python = '<3'",
    }
    declaration = asked(files)
    assert declaration.lock is not None
    assert [each.name for each in declaration.lock.packages] == ["polars", "duckdb"]
    assert (declaration.requirements, declaration.constraints, declaration.empty) == ((), (), False)
    assert (">=3.11", Source("pylock.toml")) == (str(declaration.requires_python), declaration.requires_python_source)
    assert Source("pylock.toml") == declaration.lock_source
    assert [remark.code for remark in declaration.remarks] == ["declaration-lock-wins"]
    assert declaration.sources[0] == "pylock.toml"


@pytest.mark.makes("declaration-not-locked")
def test_what_a_document_asks_for_must_be_in_the_lock() -> None:
    files = {
        "pylock.toml": HEAD + package("polars") + package("duckdb"),
        "_quarto.yml": "python: {dependencies: [Polars>=1]}",
        "paper.qmd": "---\npython:\n  dependencies:\n  - polars[gpu]<2\n  - duckdb>=1.3\n  - altair\n---\n",
    }
    assert asked(files).lock is not None
    problems = refused(files, "paper.qmd")
    assert [(problem.code, problem.source.line) for problem in problems if problem.source] == [
        ("declaration-not-locked", 5),
        ("declaration-not-locked", 6),
    ]
    assert [problem.message.partition(", and ")[2] for problem in problems] == [
        "`pylock.toml` has 1.2.",
        "`pylock.toml` does not have it.",
    ]


@pytest.mark.makes("declaration-lock")
@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("", "lock-version"),
        ("x", "Expected '='"),
        ('lock-version = "2.0"\ncreated-by = "t"\npackages = []', "version 2.0"),
        (HEAD, "packages"),
        (HEAD + "[[packages]]\nversion = '1'", "packages[0]"),
        (HEAD + "[[packages]]\nname = 'Not_Normal'", "not normalized"),
        (HEAD + "[[packages]]\nname = 'a'\ndirectory = {path = '.'}", "`a` comes from a directory"),
        (
            HEAD + "[[packages]]\nname = 'a'\nvcs = {type = 'git', url = 'x', commit-id = 'y'}",
            "`a` comes from a repository",
        ),
        (
            HEAD + f"[[packages]]\nname = 'a'\narchive = {{url = 'https://x/a.zip', hashes = {{sha256 = '{HASH}'}}}}",
            "`a` comes from an archive",
        ),
        (
            HEAD
            + "[[packages]]\nname = 'a'\nversion = '1'\n"
            + f"sdist = {{name = 'a-1.tar.gz', url = 'https://x/a-1.tar.gz', hashes = {{sha256 = '{HASH}'}}}}",
            "`a` has no wheel",
        ),
        (
            HEAD + package("a", wheel(HTTPS, 'md5 = "0"')),
            "without a SHA-256",
        ),
        (
            HEAD + package("a", wheel(HTTPS, 'sha256 = "0"')),
            "without a SHA-256",
        ),
        (HEAD + package("a", wheel(HTTPS, "")), "hashes"),
        (
            HEAD + package("a", wheel('path = "a-1.2-py3-none-any.whl"')),
            "not on an index",
        ),
        (
            HEAD + package("a", wheel('url = "file:///a-1.2-py3-none-any.whl"')),
            "not on an index",
        ),
        (HEAD + package("a", extra="marker = '" + "(" * 3000 + "'"), "packages[0]"),
    ],
)
def test_a_lock_that_is_not_wheels_of_an_index_is_refused(toml: str, reason: str) -> None:
    problem = only({"pylock.toml": toml, "requirements.txt": "-e broken"})
    assert problem.code == "declaration-lock"
    assert reason in problem.message


def test_each_unfit_package_is_named_at_its_line() -> None:
    toml = (
        HEAD
        + package("b")
        + package("a", wheel('path = "a-1.2-py3-none-any.whl"'))
        + "[[packages]]\nname = 'c'\ndirectory = {path = '.'}"
    )
    assert [(p.package, p.source.line) for p in refused({"pylock.toml": toml}) if p.source] == [("a", 9), ("c", 13)]


def test_a_lock_over_the_cap_is_refused() -> None:
    assert only({"pylock.toml": b"#" * (caps.LOCK_BYTES + 1)}).code == "declaration-too-large"


def test_a_credential_in_a_lock_is_in_no_problem() -> None:
    for where in ('name = "bad", url = "https://me:s3cret@x/bad"', 'url = "https://me:s3cret@x/bad-thing"'):
        assert "s3cret" not in str(only({"pylock.toml": HEAD + package("a", wheel(where))}).to_json())
