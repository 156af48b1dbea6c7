"""Packages, projects and requirements of strangers, through the real command in bubblewrap, from an index of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from commandline import Ran, Recto
from containing import needs_bubblewrap
from loopback_index import LoopbackIndex, serving
from recto.builder.wheels import sweep_wheels
from recto.sandbox.identity import Identity
from wheels import make_wheel

pytest_plugins = ("cli_fixtures",)
pytestmark = needs_bubblewrap

SECRET = "planted-secret-31be"
RENDER = ("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")

# Runs whenever an interpreter of the environment starts: at the proof, and at each kernel. What it finds at the proof
# comes out in the message of the build that it makes fail; what it finds at a render, in the project.
AT_START = """\
import errno, json, os, socket, sys

DATA, PROJECT, PORT, LOUD = {data!r}, {project!r}, {port}, {loud}

def became(act):
    try:
        result = act()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    return result if isinstance(result, (list, str)) else "done"

def planted(path):
    with open(path, "ab") as file:
        file.write(b"planted")

def found():
    own = os.path.realpath(sys.prefix)
    return {{
        "environment": became(lambda: planted(own + "/planted.pth")),
        "package": became(lambda: planted(__file__)),
        "cache": became(lambda: planted(DATA + "/v1/cache/uv/planted")),
        "cached": became(lambda: os.listdir(DATA + "/v1/cache/uv")),
        "bytecode": became(lambda: planted(DATA + "/v1/bytecode/planted")),
        "specs": became(lambda: os.listdir(DATA + "/v1/specs")),
        "others": [n for n in os.listdir(DATA + "/v1/envs") if n not in own] if "/envs/" in own else [],
        "staged": [n for n in os.listdir(DATA + "/v1/staging") if n not in own] if "/staging/" in own else [],
        "index": became(lambda: socket.create_connection(("127.0.0.1", PORT), 2)),
        "door": became(lambda: socket.create_connection(("127.0.0.1", 8080), 2)),
        "metadata": became(lambda: socket.create_connection(("169.254.169.254", 80), 2)),
        "name": became(lambda: socket.getaddrinfo("example.com", 80)),
        "uid": os.getuid(),
        "told": became(lambda: open("/proc/1/environ").read()) + json.dumps(dict(os.environ)),
    }}

if "/staging/" in os.path.realpath(sys.prefix):
    if LOUD:
        os.write(2, json.dumps(found()).encode() + b"\\n")
        os._exit(1)
elif not os.path.exists(PROJECT + "/at-start.json"):
    with open(PROJECT + "/at-start.json", "w") as file:
        json.dump(found(), file)
"""

# The document looks whether what was planted for it is taken, and leaves traps where its page is to be.
DOCUMENT = """\
---
title: Attack
jupyter: python3
---

```{python}
import errno, json, os, sys

def became(act):
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    return "done"

import numpy
tries = json.load(open("tries.json"))
seen = {
    "numpy": numpy.__file__,
    "prefix": sys.prefix,
    "executable": os.path.realpath(sys.executable),
    "suid": became(lambda: os.chmod("tries.json", 0o4755)),
    "born suid": became(lambda: os.open("born", os.O_CREAT | os.O_WRONLY, 0o4755)),
    "device": became(lambda: os.mknod("device", 0o660 | 0o060000, os.makedev(259, 0))),
    "interpreter": became(lambda: os.unlink(sys.executable)),
    "own": became(lambda: open(tries["recto"] + "/planted.py", "w")),
    "environment": dict(os.environ),
}
json.dump(seen, open("seen.json", "w"))
os.symlink(tries["secret"], "a.html")
os.makedirs("a_files")
os.symlink(os.path.dirname(tries["secret"]), "a_files/figure-html")
os.mkfifo("pipe.html")
```
"""


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with serving(LoopbackIndex()) as one:
        one.add("plain", "1.0")
        yield one


@pytest.fixture
def evil_index() -> Iterator[LoopbackIndex]:
    """What projects and packages try to name instead; it has all that the other has, and counts who asks."""
    with serving(LoopbackIndex()) as one:
        one.add("plain", "6.6.6")
        yield one


@pytest.fixture
def contained(recto: Recto, index: LoopbackIndex) -> Recto:
    mine = {"RECTO_SANDBOX": "bubblewrap", "RECTO_INDEX_URL": index.url, "SECRET_TOKEN": SECRET}
    return Recto({**recto.variables, **mine}, recto.cwd)


def document(project: Path, code: str = "1", *requirements: str) -> None:
    (project / "a.qmd").write_text(f"---\ntitle: A\n---\n\n```{{python}}\n{code}\n```\n")
    (project / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements))


def planted_below(*directories: Path) -> list[Path]:
    return [path for directory in directories for path in directory.rglob("planted*")]


def hostile(directory: Path, name: str, evil_index: LoopbackIndex, **at_start: object) -> Path:
    """A wheel with all that runs, or is taken for something else, once it is installed."""
    data, project = at_start["data"], at_start["project"]
    scripts = {
        f"{name}-1.0.data/scripts/{tool}": f"#!/bin/sh\necho $0 >> {project}/tool-ran\n"
        for tool in ("ls", "sh", "pandoc", "uv", "setpriv", "typst")
    }
    return make_wheel(
        directory,
        name,
        "1.0",
        {
            f"{name}_at_start.py": AT_START.format(**at_start),
            f"{name}.pth": f"import {name}_at_start\n",
            "sitecustomize.py": "",
            "numpy/__init__.py": "",
            f"{name}-1.0.data/data/pip.conf": f"[global]\nindex-url = {evil_index.url}\n",
            f"{name}-1.0.data/data/uv.toml": f'index-url = "{evil_index.url}"\ncache-dir = "{data}/planted"\n',
            **scripts,
        },
    )


def tricks(project: Path, evil_index: LoopbackIndex) -> None:
    """Files that tools take for their settings where they find them."""
    url = evil_index.url
    kernel = {"argv": ["/bin/sh", "-c", f"touch {project}/kernel-ran"], "display_name": "x", "language": "python"}
    files = {
        "uv.toml": f'index-url = "{url}"\n[pip]\nindex-url = "{url}"\n',
        "pyproject.toml": f'[tool.uv]\nindex-url = "{url}"\n[[tool.uv.index]]\nurl = "{url}"\ndefault = true\n',
        "pip.conf": f"[global]\nindex-url = {url}\nextra-index-url = {url}\n",
        ".netrc": "machine 127.0.0.1 login planted password planted\n",
        ".env": f"UV_DEFAULT_INDEX={url}\nPIP_INDEX_URL={url}\nRECTO_SANDBOX=none\n",
        ".python-version": "2.7\n",
        "sitecustomize.py": f"open({str(project)!r} + '/site-ran', 'w')\n",
        "_quarto.yml": "project:\n  type: default\n  pre-render: touch pre-ran\njupyter: other\n",
        ".venv/bin/python": f"#!/bin/sh\ntouch {project}/venv-ran\n",
        "share/jupyter/kernels/python3/kernel.json": json.dumps(kernel),
        ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(kernel),
    }
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (project / ".venv" / "bin" / "python").chmod(0o755)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "away" / "secret.html"
    path.parent.mkdir()
    path.write_text(SECRET)
    return path


def test_a_hostile_package_in_a_hostile_project_reaches_nothing(
    contained: Recto, project: Path, index: LoopbackIndex, evil_index: LoopbackIndex, data: Path, secret: Path
) -> None:
    """A package that runs at each start, and fakes; settings of other tools; a document that sets traps."""
    at_start: dict[str, Any] = {"data": str(data), "project": str(project), "port": index.port, "loud": False}
    index.add_wheel(hostile(project.parent / "wheels", "evil", evil_index, **at_start))
    document(project, "1", "plain")
    assert contained(*RENDER).json["status"] == "success"
    tricks(project, evil_index)
    document(project, "1", "plain", "evil")
    (project / "a.html").unlink()
    (project / "a.qmd").write_text(DOCUMENT)
    (project / "tries.json").write_text(json.dumps({"secret": str(secret), "recto": str(Path(__file__).parents[2])}))

    ran = contained(*RENDER)

    assert ran.json["status"] == "success", ran.out
    at = json.loads((project / "at-start.json").read_text())
    reached_nothing(at, ran)
    seen = json.loads((project / "seen.json").read_text())
    # What a package brings it may use in its own world.
    assert seen["numpy"].startswith(seen["prefix"])
    assert seen["prefix"].startswith(str(data / "v1" / "envs"))
    assert {seen["suid"], seen["born suid"]} == {"EPERM"}
    assert {seen["device"], seen["interpreter"], seen["own"]} <= {"EPERM", "EROFS", "EACCES", "ENOENT"}
    assert not [name for name in seen["environment"] if name.startswith(("UV_", "PIP_", "RECTO_", "SECRET"))]
    assert secret.read_text() == SECRET
    assert [path.name for path in secret.parent.iterdir()] == [secret.name]
    assert not (project / "a.html").is_symlink()
    assert SECRET not in (project / "a.html").read_text()
    assert list(project.glob("*-ran")) == []
    assert evil_index.asked == []
    assert planted_below(data) == []


def reached_nothing(at: Mapping[str, Any], ran: Ran) -> None:
    assert {at[name] for name in ("environment", "package")} <= {"EROFS", "EACCES"}, at
    assert {at[name] for name in ("cache", "cached", "bytecode", "specs")} <= {"ENOENT", "EROFS", "EACCES"}, at
    assert at["others"] == at["staged"] == []
    assert {at["index"], at["door"], at["metadata"], at["name"]} <= {"ECONNREFUSED", "ENETUNREACH", "gaierror"}, at
    assert at["uid"] == Identity.here().number
    assert SECRET not in json.dumps(at) + ran.out + ran.err


def test_the_proof_of_an_environment_sees_it_read_only_and_neither_cache_nor_index(
    contained: Recto, project: Path, index: LoopbackIndex, evil_index: LoopbackIndex, data: Path
) -> None:
    at_start: dict[str, Any] = {"data": str(data), "project": str(project), "port": index.port, "loud": True}
    index.add_wheel(hostile(project.parent / "wheels", "loud", evil_index, **at_start))
    document(project, "1", "loud")

    ran = contained(*RENDER)

    assert ran.codes == ["proof-kernel"]
    message = ran.json["problems"][0]["message"]
    at = json.loads(message[message.index("{") : message.rindex("}") + 1])
    reached_nothing(at, ran)
    assert planted_below(data) == []
    assert list((data / "v1" / "staging").iterdir()) == list((data / "v1" / "envs").iterdir()) == []


def test_the_installer_runs_nothing_of_what_it_installs(
    contained: Recto, project: Path, index: LoopbackIndex, data: Path
) -> None:
    """Not even where it is run twice on one environment; it may write to the cache, which all environments share."""
    cache = data / "v1" / "cache" / "uv"
    code = f"import os; os.access({str(cache)!r}, os.W_OK) and open({str(cache)!r} + '/planted', 'a').write('x')"
    index.add_wheel(make_wheel(project.parent / "wheels", "eager", "1.0", {"eager.pth": f"{code}\n"}))
    document(project, "1", "plain")
    assert contained(*RENDER).json["status"] == "success"
    document(project, f"import os; print(os.access({str(cache)!r}, os.F_OK))", "plain", "eager")

    ran = contained(*RENDER)

    # One was met before, so that it came by a second run of the installer, after the other.
    assert (ran.json["status"], ran.json["environment"]["state"]) == ("success", "built")
    assert planted_below(data) == []
    assert "False" in (project / "a.html").read_text()


def test_a_wheel_that_unpacks_to_a_hundred_times_its_size_ends_at_the_disk_limit_and_leaves_nothing(
    contained: Recto, project: Path, index: LoopbackIndex, data: Path
) -> None:
    bomb = make_wheel(project.parent / "wheels", "bomb", "1.0", {f"bomb/{n}": "0" * 20_000_000 for n in range(20)})
    assert bomb.stat().st_size < 1_000_000
    index.add_wheel(bomb)
    document(project, "1", "bomb")

    ran = contained(*RENDER, RECTO_INSTALLED_MAX="30 MB", RECTO_DOWNLOAD_MAX="20 MB")

    assert ran.codes in (["disk-limit"], ["cap-installed"]), ran.out
    assert list((data / "v1" / "staging").iterdir()) == list((data / "v1" / "envs").iterdir()) == []
    # What came into the cache is counted before the next build, and is the first to go where room is short.
    assert not (data / "v1" / "ledger.json").exists()
    sweep_wheels(data / "v1" / "cache" / "uv")
    left = sum(path.lstat().st_size for path in (data / "v1" / "cache").rglob("*"))
    assert left < 2_000_000


def test_terminals_of_those_who_watch_are_told_no_control_codes(
    contained: Recto, project: Path, index: LoopbackIndex
) -> None:
    """Neither of a cell, nor of a package's metadata, nor of names of files."""
    codes = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\x1bP+q\x1b\\"
    index.add("coloured", "1.0", f"plain ; extra == '{codes}'", python=f">=3{codes}")
    document(project, f"import sys\nsys.stderr.write({codes!r})\nprint({codes!r})\nraise ValueError({codes!r})")

    failed = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter")
    document(project, "1", "coloured")
    unmet = contained("check", "a.qmd")
    named = contained("check", f"a{codes[:4]}.qmd")
    document(project, "1", f"plain=={codes}")
    written = contained("check", "a.qmd")

    for ran in (failed, unmet, named, written):
        assert ran.code != 0
        assert not {"\x1b", "\x07", "\x9b", "\x08"} & set(ran.out + ran.err), ran


def test_a_project_that_holds_the_data_directory_is_built_and_rendered_and_changes_nothing_of_it(
    contained: Recto, project: Path, index: LoopbackIndex
) -> None:
    data = project / "deep" / "recto"
    code = (
        "import json, os, plain, subprocess, sys\n"
        "tries = [f'touch deep/recto/{place}/planted' for place in ('.', 'v1', 'v1/envs', 'v1/cache', 'v1/staging')]\n"
        "tries += ['mv deep away', 'rm -rf deep', 'mkdir -p deep/recto/v1/envs']\n"
        "said = [subprocess.run(one, shell=True, cwd=os.path.dirname(os.path.realpath('a.qmd'))).returncode "
        "for one in tries]\n"
        "json.dump([said, os.listdir('deep/recto/v1'), os.listdir('deep/recto/v1/envs')], open('seen.json', 'w'))"
    )
    index.add_wheel(make_wheel(project.parent / "wheels", "plainer", "1.0", {"plain.py": ""}))
    document(project, code, "plainer")

    ran = contained(*RENDER, RECTO_DATA_DIR=str(data))
    again = contained(*RENDER, RECTO_DATA_DIR=str(data))

    assert (ran.json["status"], ran.json["environment"]["state"]) == ("success", "built"), ran.out
    assert (again.json["status"], again.json["environment"]["state"]) == ("success", "cached"), again.out
    said, buckets, environments = json.loads((project / "seen.json").read_text())
    assert all(code != 0 for code in said[:-1])
    assert buckets == ["envs"]
    assert len(environments) == 1
    assert planted_below(project / "deep") == []
    assert not (project / "away").exists()


def test_a_home_directory_is_rendered_by_nobody(contained: Recto, project: Path) -> None:
    document(project, "open('ran', 'w')")

    ran = contained(*RENDER, HOME=str(project))

    assert ran.codes == ["sandbox-unavailable"]
    assert "home directory" in ran.json["problems"][0]["message"]
    assert not (project / "ran").exists()
