"""The whole contained flow as a plain user, with the system's Python: nothing of it may need root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

import recto
from commandline import Recto
from conftest import RENDER_STACK
from containing import needs_bubblewrap
from loopback_index import LoopbackIndex, serving
from wheels import make_wheel

PLAIN = 65534
PYTHON = Path("/usr/bin/python3")
# Recto as a plain user can read it: the sources, and where what they need is installed.
PATHS = (Path(recto.__file__).parents[1], Path(msgspec.__file__).parents[1])

pytestmark = [
    needs_bubblewrap,
    pytest.mark.network,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else; all other tests show a plain user"),
]


def _same_python() -> bool:
    """Whether the system's Python can read what was compiled for ours."""
    if not PYTHON.exists():
        return False
    told = subprocess.run([PYTHON, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
    return told.stdout.split() == [str(part) for part in sys.version_info[:2]]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that a plain user can reach, which those of pytest are not, and that is theirs."""
    if not _same_python():
        pytest.skip(f"`{PYTHON}` is not the Python {sys.version_info[0]}.{sys.version_info[1]} of these tests")
    root = Path(tempfile.mkdtemp(prefix="recto-plain-"))
    for name in ("home", "project"):
        (root / name).mkdir()
        os.chown(root / name, PLAIN, PLAIN)
    os.chown(root, PLAIN, PLAIN)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def base(place: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]) -> Path:
    """The interpreter of a base over the system's Python."""
    quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache))
    subprocess.run([uv, "venv", *quiet, "--python", PYTHON, place / "base"], check=True, env=network_environment)
    python = place / "base" / "bin" / "python"
    install = ("pip", "install", *quiet, "--link-mode", "hardlink", "--compile-bytecode", "--python", python)
    subprocess.run([uv, *install, *RENDER_STACK], check=True, env=network_environment)
    return python


@pytest.fixture
def plain(place: Path, base: Path, network_environment: Mapping[str, str]) -> Recto:
    """`recto` as somebody without any rights."""
    variables = {
        **network_environment,
        "HOME": str(place / "home"),
        "PYTHONPATH": os.pathsep.join(map(str, PATHS)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RECTO_DATA_DIR": str(place / "data"),
        "RECTO_BASE": str(base),
        "RECTO_SANDBOX": "bubblewrap",
    }
    dropping = ("--reuid", str(PLAIN), "--regid", str(PLAIN), "--clear-groups", "--bounding-set", "-all")
    return Recto(variables, place / "project", ("/usr/bin/setpriv", *dropping, str(PYTHON), "-m", "recto"))


TRIED = """
import json
from recto.sandbox.{module} import {mechanism}
from recto.sandbox.self_test import tried
print(json.dumps({{promise.name: promise.failure for promise in tried({mechanism}())}}))
"""


@pytest.mark.parametrize("mechanism", ["Bubblewrap", "Landlock"])
def test_every_promise_is_kept_for_a_plain_user(plain: Recto, mechanism: str) -> None:
    code = TRIED.format(module=mechanism.lower(), mechanism=mechanism)
    done = subprocess.run(
        [*plain.argv[:-2], "-c", code], env=plain.variables, cwd="/", capture_output=True, text=True, check=True
    )

    promises = json.loads(done.stdout)
    assert len(promises) >= 7
    assert {name: failure for name, failure in promises.items() if failure} == {}


DOCUMENT = """\
---
title: A
---

```{python}
import json, os, plain, sys
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
def became(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"
seen = {
    "module": plain.__file__,
    "uid": os.getuid(),
    "rights": [status[name] for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")],
    "environment": became(lambda: open(plain.__file__, "a")),
    "home": became(lambda: os.listdir("HOME")),
    "mode": became(lambda: os.chmod("a.qmd", 0o4755)),
    "shared": os.listdir("/dev/shm"),
}
json.dump(seen, open("seen.json", "w"))
```
"""


def test_a_plain_user_builds_from_the_index_and_renders_and_renders_again(
    plain: Recto, place: Path, tmp_path: Path
) -> None:
    project = place / "project"
    (project / "a.qmd").write_text(DOCUMENT.replace("HOME", str(place / "home")))
    (project / "requirements.txt").write_text("plain\n")
    with serving(LoopbackIndex()) as index:
        index.add_wheel(make_wheel(tmp_path, "plain", "1.0", {"plain.py": ""}))
        plain = Recto({**plain.variables, "RECTO_INDEX_URL": index.url}, plain.cwd, plain.argv)

        built = plain("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")
        again = plain("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")

    assert (built.json["status"], built.json["environment"]["state"]) == ("success", "built"), built.out + built.err
    assert (again.json["status"], again.json["environment"]["state"]) == ("success", "cached"), again.out
    seen = json.loads((project / "seen.json").read_text())
    assert seen["module"].startswith(str(place / "data" / "v1" / "envs"))
    assert (seen["uid"], seen["rights"]) == (PLAIN, ["0" * 16, "0" * 16, "1", "2"])
    assert seen["environment"] in {"OSError", "PermissionError"}
    assert seen["home"] == "FileNotFoundError"
    assert seen["mode"] == "PermissionError"
    assert seen["shared"] == []
    assert {path.stat().st_uid for path in project.iterdir() if path.name in ("a.html", "seen.json")} == {PLAIN}
