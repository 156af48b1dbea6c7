"""Credentials planted around builds and renders that go well, and everything that these leave behind searched."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from commandline import Ran, Recto
from launcher import launcher_in
from loopback_index import LoopbackIndex, serving

pytest_plugins = ("cli_fixtures",)
pytestmark = pytest.mark.network

SECRET = "hunter2Qx7secret"
FORMS = (SECRET.encode(), base64.b64encode(f"reader:{SECRET}".encode()).rstrip(b"="))
DOCUMENT = f"""---
title: Kept
params:
  api_token: {SECRET}
  source: http://reader:{SECRET}@127.0.0.1:9/data
---

```{{python}}
import os, sys, planted
print("well", 6 * 7)
```

```{{python}}
LAST
```
"""


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """An index that asks for the password and has two packages."""
    with serving(LoopbackIndex(password=SECRET)) as served:
        served.add("alpha", "1.0")
        served.add("alpha", "2.0", "beta")
        served.add("beta", "3.1")
        yield served


@pytest.fixture
def planted(tmp_path: Path, project: Path, index: LoopbackIndex) -> frozenset[Path]:
    """Files with the secret in them: the user's own, and the project's."""
    home = tmp_path / "home"
    files = {
        home / ".netrc": f"machine 127.0.0.1 login reader password {SECRET}\n",
        home / ".config" / "pip" / "pip.conf": f"[global]\nindex-url = {index.url}\n",
        home / ".config" / "uv" / "uv.toml": f'[[index]]\nurl = "{index.url}"\ndefault = true\n',
        home / ".pypirc": f"[pypi]\npassword = {SECRET}\n",
        project / "planted.py": f"SECRET = {SECRET!r}\nURL = 'https://reader:{SECRET}@index.example/x'\n",
        project / "paper.qmd": DOCUMENT.replace("LAST", "1"),
        project / "failing.qmd": DOCUMENT.replace("LAST", "raise RuntimeError('cannot read ' + planted.URL)"),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (home / ".netrc").chmod(0o600)
    (project / "requirements.txt").write_text("alpha==1.0\n")
    return frozenset(files)


@pytest.fixture
def quarto(tmp_path: Path) -> Path:
    """The stand-in for Quarto, behind a launcher."""
    return launcher_in(tmp_path)


@pytest.fixture
def guarded(recto: Recto, tmp_path: Path, index: LoopbackIndex, planted: frozenset[Path], quarto: Path) -> Recto:
    """With the secret in the index's address and in variables, and a place of its own for temporary files."""
    (tmp_path / "temporary").mkdir()
    variables = {
        "RECTO_INDEX_URL": index.url,
        "RECTO_QUARTO": str(quarto),
        "RECTO_LAST_GOOD": "on",
        "UV_INDEX_URL": index.url,
        "UV_INDEX_PASSWORD": SECRET,
        "PIP_INDEX_URL": index.url,
        "API_TOKEN": SECRET,
        "NETRC": str(tmp_path / "home" / ".netrc"),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    return Recto({**recto.variables, **variables}, recto.cwd)


def written(tmp_path: Path, planted: frozenset[Path]) -> list[str]:
    """Every file that holds the secret, in its name too, but for those that it was planted in and what comes of these.

    That is the page of a document, and the bytecode that Python makes of a module.
    """
    own = {path.with_suffix(".html") for path in planted}
    own |= {path for one in planted for path in one.parent.glob(f"__pycache__/{one.stem}.*")}
    files = [path for path in tmp_path.rglob("*") if path not in planted and path not in own]
    return [str(path.relative_to(tmp_path)) for path in files if SECRET in path.name or _holds(path)]


def _holds(path: Path) -> bool:
    data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
    return any(form in data for form in FORMS)


def silent(done: Ran) -> Ran:
    assert done.out or done.err
    for form in FORMS:
        assert form.decode() not in done.out
        assert form.decode() not in done.err
    return done


def test_a_build_that_goes_well_keeps_no_secret(
    guarded: Recto, tmp_path: Path, index: LoopbackIndex, planted: frozenset[Path], project: Path
) -> None:
    assert silent(guarded("check", "--json")).json["state"] == "absent"
    assert silent(guarded("env", "build", "--json")).json["state"] == "built"
    assert "/files/alpha-1.0-py3-none-any.whl" in index.asked
    (project / "requirements.txt").write_text("alpha\n")
    assert silent(guarded("env", "build")).code == 0
    assert silent(guarded("env", "update", "--json")).code == 0
    for command in (("check",), ("env", "show"), ("env", "explain"), ("env", "list"), ("doctor",)):
        assert silent(guarded(*command)).code == 0
        assert silent(guarded(*command, "--json")).code == 0
    assert silent(guarded("run", "--", "python", "-c", "print(1)")).code == 0
    assert silent(guarded("env", "finish")).code == 0
    assert written(tmp_path, planted) == []


@pytest.mark.parametrize("engine", ["jupyter", "quarto"])
def test_renders_keep_no_secret(
    guarded: Recto, tmp_path: Path, planted: frozenset[Path], project: Path, engine: str
) -> None:
    render = ("render", "paper.qmd", "--engine", engine, "--to", "html")
    built = silent(guarded(*render, "--json")).json
    assert (built["status"], built["engine"], built["environment"]["state"]) == ("success", engine, "built")
    assert silent(guarded(*render)).code == 0
    failed = ("render", "failing.qmd", "--engine", engine, "--to", "html")
    assert silent(guarded(*failed, "--json")).codes == ["cell-error"]
    said = silent(guarded(*failed))
    assert "cannot read https://***@index.example" in said.err
    assert written(tmp_path, planted) == []


def test_what_fails_after_all_went_well_keeps_no_secret(
    guarded: Recto, tmp_path: Path, planted: frozenset[Path], project: Path
) -> None:
    render = ("render", "paper.qmd", "--engine", "jupyter", "--json")
    assert silent(guarded(*render)).json["status"] == "success"
    (project / "requirements.txt").write_text("alpha==9\n")
    assert silent(guarded(*render)).json["environment"]["state"] == "last-good"
    shown = silent(guarded("env", "show", "--json"))
    assert shown.json["state"] == "failed"
    assert silent(guarded("env", "explain")).code == 0
    # The index takes another password now.
    wrong = guarded.variables["RECTO_INDEX_URL"].replace(SECRET, f"{SECRET}X")
    (project / "requirements.txt").write_text("gamma\n")
    refused = silent(guarded("env", "build", "--json", RECTO_INDEX_URL=wrong))
    assert refused.codes == ["index-auth"]
    assert silent(guarded("env", "show", RECTO_INDEX_URL=wrong)).code == 0
    assert written(tmp_path, planted) == []


@pytest.mark.parametrize("engine", ["jupyter", "quarto"])
def test_what_a_render_said_as_the_log_of_a_host_keeps_no_secret(guarded: Recto, tmp_path: Path, engine: str) -> None:
    said = guarded("render", "failing.qmd", "--engine", engine).err
    for form in ("text", "json", "output-log"):
        assert silent(guarded("diagnose", "--format", form, stdin=said)).code == 0
