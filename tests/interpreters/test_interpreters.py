"""Interpreters: real ones are asked, and a count of their starts shows when they are not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.tags import sys_tags

from recto.interpreters import Interpreters, missing_render_stack, probe
from recto.problems import BaseError


def _site(prefix: Path) -> Path:
    return next(prefix.glob("lib/python3.*/site-packages"))


def _distribution(site: Path, name: str, version: str) -> None:
    directory = site / f"{name}-{version}.dist-info"
    directory.mkdir()
    (directory / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def _script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A virtual environment without pip."""
    venv.create(tmp_path / "base", with_pip=False, symlinks=True)
    return tmp_path / "base"


@pytest.fixture
def starts(prefix: Path, tmp_path: Path) -> Path:
    """A file that grows by one byte whenever the interpreter of `prefix` starts."""
    count = tmp_path / "starts"
    count.touch()
    # Not a `.pth` file: `site` may run those twice in a virtual environment.
    (_site(prefix) / "sitecustomize.py").write_text(f"open({str(count)!r}, 'a').write('.')\n")
    (_site(prefix) / "plain.pth").touch()
    return count


def _pythons() -> Iterator[str]:
    """One executable a minor version of what this machine has."""
    for minor in range(11, 16):
        found = shutil.which(f"python3.{minor}")
        versions = sorted(Path("~/.pyenv/versions").expanduser().glob(f"3.{minor}.*/bin/python3.{minor}"))
        if versions or found:
            yield str(versions[-1] if versions else found)


def _reason(error: BaseError) -> str:
    return error.problems[0].message


def test_a_virtual_environment_says_who_it_is(prefix: Path) -> None:
    base = probe(prefix / "bin" / "python")
    assert base.python == prefix / "bin" / "python"
    assert base.prefix == prefix
    assert base.is_venv
    assert base.site_packages == (_site(prefix),)
    assert base.identity.location == str(prefix)
    assert base.identity.implementation == "cpython"
    assert base.identity.version == sys.version.split()[0]
    assert base.identity.abi.startswith("cpython-3")
    assert base.identity.libc.split()[0] in ("glibc", "musl")
    assert base.identity.distributions == {}


def test_an_interpreter_that_is_no_virtual_environment_says_so() -> None:
    assert not probe(Path(os.path.realpath(sys.executable))).is_venv


def test_roots_hold_everything_and_none_holds_another(prefix: Path) -> None:
    base = probe(prefix / "bin" / "python")
    for needed in (base.prefix, Path(sys.base_prefix), base.python.resolve().parent, *base.site_packages):
        assert any(needed.is_relative_to(root) for root in base.roots)
    for root in base.roots:
        assert not any(root.is_relative_to(other) for other in base.roots if other != root)


def test_our_own_interpreter_gets_our_own_tags_and_markers() -> None:
    base = probe(Path(sys.executable))
    assert base.tags == tuple(str(tag) for tag in sys_tags())
    assert base.markers == dict(default_environment())


@pytest.mark.parametrize("python", list(_pythons()))
def test_tags_are_those_of_packaging_in_that_interpreter(python: str, tmp_path: Path) -> None:
    import packaging

    shutil.copytree(Path(packaging.__file__).parent, tmp_path / "packaging")
    code = "import sys; sys.path.insert(0, sys.argv[1]); from packaging.tags import sys_tags; print(*sys_tags())"
    said = subprocess.run([python, "-I", "-B", "-c", code, tmp_path], capture_output=True, text=True, check=True)
    base = probe(Path(python))
    assert base.tags == tuple(said.stdout.split())
    assert base.markers["python_full_version"] == base.identity.version


def test_markers_are_a_complete_environment(prefix: Path) -> None:
    base = probe(prefix / "bin" / "python")
    assert set(base.markers) >= set(default_environment())
    assert Marker("python_version >= '3.11' and sys_platform == 'linux'").evaluate(dict(base.markers))


def test_distributions_are_normalised_and_the_first_on_the_path_wins(prefix: Path, tmp_path: Path) -> None:
    layer = tmp_path / "layer" / "site-packages"
    layer.mkdir(parents=True)
    (_site(prefix) / "layer.pth").write_text(f"{layer}\n")
    _distribution(_site(prefix), "Foo.Bar", "2.0")
    _distribution(layer, "foo_bar", "1.0")
    _distribution(layer, "Other", "3.0")
    (layer / "half_gone-1.0.dist-info").mkdir()
    base = probe(prefix / "bin" / "python")
    assert base.identity.distributions == {"foo-bar": "2.0", "other": "3.0"}
    assert base.site_packages == (_site(prefix), layer)


def test_an_interpreter_is_asked_once(prefix: Path, starts: Path, tmp_path: Path) -> None:
    first = probe(prefix / "bin" / "python", tmp_path / "memory")
    assert starts.stat().st_size == 1
    assert probe(prefix / "bin" / "python", tmp_path / "memory") == first
    assert starts.stat().st_size == 1


def test_without_a_memory_each_call_asks(prefix: Path, starts: Path) -> None:
    probe(prefix / "bin" / "python")
    probe(prefix / "bin" / "python")
    assert starts.stat().st_size == 2


def test_one_object_asks_once_without_a_memory(prefix: Path, starts: Path) -> None:
    interpreters = Interpreters()
    assert interpreters.probe(prefix / "bin" / "python") is interpreters.probe(prefix / "bin" / "python")
    assert starts.stat().st_size == 1


@pytest.mark.parametrize("change", ["install", "uninstall", "pth", "pyvenv.cfg", "executable"])
def test_a_change_of_what_the_answer_depends_on_asks_again(
    change: str, prefix: Path, starts: Path, tmp_path: Path
) -> None:
    _distribution(_site(prefix), "old", "1")
    interpreters = Interpreters(tmp_path / "memory")
    interpreters.probe(prefix / "bin" / "python")
    match change:
        case "install":
            _distribution(_site(prefix), "new", "1")
        case "uninstall":
            shutil.rmtree(_site(prefix) / "old-1.dist-info")
        case "pth":
            with (_site(prefix) / "plain.pth").open("a") as file:
                file.write("# more\n")
        case "pyvenv.cfg":
            with (prefix / "pyvenv.cfg").open("a") as file:
                file.write("colour = blue\n")
        case "executable":
            python = prefix / "bin" / "python"
            target = python.resolve()
            python.unlink()
            shutil.copy(target, python)
    assert starts.stat().st_size == 1
    interpreters.probe(prefix / "bin" / "python")
    assert starts.stat().st_size == 2
    probe(prefix / "bin" / "python", tmp_path / "memory")
    assert starts.stat().st_size == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"answer": {}}', '{"machine": [], "files": [[1]], "answer": 1}'])
def test_a_damaged_memory_is_a_miss(content: str, prefix: Path, starts: Path, tmp_path: Path) -> None:
    probe(prefix / "bin" / "python", tmp_path / "memory")
    (kept,) = (tmp_path / "memory").iterdir()
    kept.write_text(content)
    probe(prefix / "bin" / "python", tmp_path / "memory")
    assert starts.stat().st_size == 2
    assert json.loads(kept.read_text())["answer"]["prefix"] == str(prefix)


def test_a_launcher_script_is_asked_each_time_and_the_interpreter_behind_it_is_named(
    prefix: Path, starts: Path, tmp_path: Path
) -> None:
    script = _script(tmp_path / "python", f'#!/bin/sh\nexec {prefix}/bin/python "$@"\n')
    interpreters = Interpreters(tmp_path / "memory")
    assert interpreters.probe(script).python == prefix / "bin" / "python"
    interpreters.probe(script)
    assert starts.stat().st_size == 2


@pytest.mark.makes("base-missing")
def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseError, match="no base interpreter at") as raised:
        probe(tmp_path / "none")
    assert raised.value.problems[0].code == "base-missing"


@pytest.mark.makes("base-unusable")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho no such thing >&2; exit 3\n", "it exited with status 3 (`no such thing`)"),
        ("#!/bin/sh\nexit 0\n", "it is not a Python interpreter"),
        ("#!/bin/sh\necho '[3, 11]'\n", "it is not a Python interpreter"),
        ("#!/bin/sh\necho '{\"version_info\": [3, 10]}'\n", "it is Python 3.10"),
        ("#!/nonexistent/interpreter\n", "it does not start"),
    ],
)
def test_what_is_no_usable_python_is_refused_with_a_reason(script: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(BaseError) as raised:
        probe(_script(tmp_path / "python", script))
    assert raised.value.problems[0].code == "base-unusable"
    assert reason in _reason(raised.value)


def test_a_file_that_may_not_be_executed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("text")
    with pytest.raises(BaseError, match="it does not start"):
        probe(tmp_path / "python")


def test_an_interpreter_that_prints_at_start_is_refused(prefix: Path) -> None:
    (_site(prefix) / "noise.pth").write_text("import sys; sys.stdout.write('hello\\n')\n")
    with pytest.raises(BaseError, match="prints text of its own"):
        probe(prefix / "bin" / "python")


def test_an_interpreter_that_never_answers_is_stopped_with_its_children(tmp_path: Path) -> None:
    script = _script(tmp_path / "python", "#!/bin/sh\nsleep 1000 &\nsleep 1000\n")
    with pytest.raises(BaseError, match="did not answer within"):
        probe(script, seconds_max=0.2)


def test_the_callers_variables_do_not_reach_the_interpreter(prefix: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    (_site(prefix) / "spy.pth").write_text(f"import os; open({str(seen)!r}, 'w').write(','.join(sorted(os.environ)))\n")
    probe(prefix / "bin" / "python")
    assert set(seen.read_text().split(",")) <= {"LANG", "LC_CTYPE", "PATH"}


def test_missing_render_stack_names_what_the_base_lacks(prefix: Path) -> None:
    _distribution(_site(prefix), "jupyter_client", "8.0")
    base = probe(prefix / "bin" / "python")
    assert missing_render_stack(base, ("ipykernel", "jupyter-client", "PyYAML")) == ("ipykernel", "PyYAML")
