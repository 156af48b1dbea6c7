"""Credentials planted wherever one may stand, and everything that Recto says and writes searched for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commandline import Ran, Recto

pytest_plugins = ("cli_fixtures",)

SECRET = "hunter2Qx7secret"
# Nothing listens on the discard port, so whoever asks this index says that it did not answer, and where.
INDEX = f"http://reader:{SECRET}@127.0.0.1:9/simple"

LINES = [
    f"--index-url https://reader:{SECRET}@index.example/simple",
    f"--extra-index-url=https://{SECRET}@index.example/simple",
    f"polars @ https://reader:{SECRET}@index.example/polars.whl",
    f"git+https://reader:{SECRET}@index.example/x.git",
    f"git+ssh://reader:{SECRET}@index.example/x.git",
    f"https://index.example/polars.whl?token={SECRET}",
    f"-r https://reader:{SECRET}@index.example/other.txt",
    f"-e https://reader:{SECRET}@index.example/x",
    f"polars=1.0 # https://reader:{SECRET}@index.example/",
    f"https://reader:{SECRET}/with@slash@index.example/x",
]


@pytest.fixture
def guarded(recto: Recto, tmp_path: Path) -> Recto:
    """With credentials in the settings and in variables, and a place of its own for temporary files."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    planted = {
        "RECTO_INDEX_URL": INDEX,
        "UV_INDEX_URL": INDEX,
        "PIP_INDEX_URL": INDEX,
        "API_TOKEN": SECRET,
        "UV_INDEX_PASSWORD": SECRET,
        "TMPDIR": str(temporary),
    }
    return Recto({**recto.variables, **planted}, recto.cwd)


def written(tmp_path: Path, *but: Path) -> list[str]:
    """Every file under the directory that holds the secret, but for those that the test itself wrote it into."""
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink() and path not in but]
    return [str(path.relative_to(tmp_path)) for path in files if SECRET.encode() in path.read_bytes()]


def silent(done: Ran) -> None:
    assert done.err or done.out
    assert SECRET not in done.out
    assert SECRET not in done.err


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("command", [("check", "--no-resolve"), ("check", "--no-resolve", "--json")])
def test_a_line_with_a_credential(
    guarded: Recto, project: Path, tmp_path: Path, line: str, command: tuple[str, ...]
) -> None:
    requirements = project / "requirements.txt"
    requirements.write_text(f"{line}\n")

    done = guarded(*command)

    assert done.code == 1
    silent(done)
    assert written(tmp_path, requirements) == []


@pytest.mark.parametrize("command", [("check",), ("check", "--json"), ("env", "build"), ("env", "build", "--json")])
def test_an_index_that_does_not_answer(guarded: Recto, project: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    (project / "requirements.txt").write_text("no-such-package-anywhere\n")

    done = guarded(*command)

    assert done.code == 1
    silent(done)
    assert written(tmp_path) == []


@pytest.mark.parametrize(
    "command", [("env", "explain"), ("env", "explain", "--json"), ("doctor",), ("doctor", "--json")]
)
def test_what_explains_the_settings(guarded: Recto, project: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    (project / "requirements.txt").write_text("no-such-package-anywhere\n")

    done = guarded(*command)

    silent(done)
    assert written(tmp_path) == []


@pytest.mark.parametrize("value", [f"ftp://reader:{SECRET}@index.example/", f"reader:{SECRET}@index.example"])
def test_an_index_setting_that_cannot_be(guarded: Recto, value: str) -> None:
    done = guarded("check", RECTO_INDEX_URL=value)

    silent(done)


CELLS = {
    "address": "raise RuntimeError('cannot read ' + os.environ['RECTO_TEST_URL'])",
    "named": "raise RuntimeError('API_TOKEN=' + os.environ['RECTO_TEST_TOKEN'])",
    "printed": "print('password: ' + os.environ['RECTO_TEST_TOKEN'], file=sys.stderr); 1/0",
    "header": "raise RuntimeError('Authorization: Bearer ' + os.environ['RECTO_TEST_TOKEN'])",
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_cell_that_fails_with_a_credential(recto: Recto, project: Path, tmp_path: Path, cell: str) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (project / "paper.qmd").write_text(f"```{{python}}\nimport os, sys\n{cell}\n```\n")
    # What a cell can read of the caller's variables is the sandbox's business; the words that it says are ours.
    planted = f"import os\nos.environ['RECTO_TEST_TOKEN'] = {SECRET!r}\nos.environ['RECTO_TEST_URL'] = {INDEX!r}\n"
    (project / "planted.py").write_text(planted)
    (project / "paper.qmd").write_text(f"```{{python}}\nimport os, sys, planted\n{cell}\n```\n")

    done = recto("render", "paper.qmd", "--engine", "jupyter", "--json", TMPDIR=str(temporary))

    assert done.codes == ["cell-error"]
    silent(done)
    compiled = list((project / "__pycache__").glob("planted.*"))
    assert written(tmp_path, project / "planted.py", *compiled) == []


@pytest.mark.parametrize("form", ["text", "json", "output-log"])
@pytest.mark.parametrize(
    "said",
    [
        f"Looking in indexes: {INDEX}",
        f"ERROR: Could not fetch URL {INDEX}/x: 403 Client Error: Forbidden for url: {INDEX}/x",
        f"error: Failed to fetch: `{INDEX}/x/`\n  Caused by: HTTP status client error (401 Unauthorized) for ({INDEX})",
        f"ERROR: Invalid requirement: 'x @ {INDEX}' (from line 3 of requirements.txt)",
        f"ERROR: Could not open requirements file: [Errno 2] No such file or directory: '{INDEX}'",
        f"RuntimeError: cannot connect to postgresql://reader:{SECRET}@db/x failed",
        f"widget failed with API_KEY={SECRET}",
        f"  fatal: unable to access 'https://{SECRET}@index.example/x.git/': The requested URL returned error: 403",
        f"fatal error: https://reader:{SECRET}/more@index.example/",
        f"error: request failed: https://index.example/?access_token={SECRET}&x=1",
    ],
)
def test_a_log_with_a_credential(bare: Recto, tmp_path: Path, form: str, said: str) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    done = bare("diagnose", "--format", form, stdin=f"{said}\n", TMPDIR=str(temporary))

    assert done.code == 0
    silent(done)
    if form == "json":
        assert SECRET not in json.dumps(done.json)
