"""Packages built from source by the real command in bubblewrap: what their scripts try, and what is left."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from commandline import Ran, Recto
from containing import needs_bubblewrap
from loopback_index import LoopbackIndex, serving
from recto.interpreters import Base
from recto.interpreters.roots import LAYER
from recto.problems import problem

pytest_plugins = ("cli_fixtures",)
pytestmark = needs_bubblewrap

SECRET = "planted-secret-77ac"

# A backend as small as one can be; `meanwhile` is what else it does while it builds.
BACKEND = """\
import os, zipfile

{meanwhile}

def metadata(name, version):
    return f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n"

def write(directory, name="tiny", version="1.0", module="tiny", tag="py3-none-any"):
    file, info = f"{{name}}-{{version}}-{{tag}}.whl", f"{{name}}-{{version}}.dist-info"
    with zipfile.ZipFile(os.path.join(directory, file), "w") as wheel:
        wheel.writestr(module + ".py", SOURCE)
        wheel.writestr(info + "/METADATA", metadata(name, version))
        wheel.writestr(info + "/WHEEL", f"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: {{tag}}\\n")
        wheel.writestr(info + "/entry_points.txt", "[console_scripts]\\ntiny = tiny:main\\n")
        names = (module + ".py", info + "/METADATA", info + "/WHEEL", info + "/entry_points.txt", info + "/RECORD")
        wheel.writestr(info + "/RECORD", "".join(f"{{one}},,\\n" for one in names))
    return file

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    meanwhile("metadata", directory)
    info = os.path.join(directory, "tiny-1.0.dist-info")
    os.mkdir(info)
    with open(os.path.join(info, "METADATA"), "w") as file:
        file.write(metadata("tiny", "1.0"))
    return "tiny-1.0.dist-info"

def build_wheel(directory, config_settings=None, metadata_directory=None):
    return meanwhile("wheel", directory) or write(directory)
"""

PLAIN = "SOURCE = 'def main(): print(42)\\n'\ndef meanwhile(step, directory): pass\n"


def backend(meanwhile: str) -> str:
    return BACKEND.format(meanwhile=meanwhile)


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with serving(LoopbackIndex()) as served:
        yield served


@pytest.fixture
def trusting(recto: Recto, index: LoopbackIndex) -> Recto:
    variables = {
        "RECTO_SANDBOX": "bubblewrap",
        "RECTO_BUILDS": "trusted",
        "RECTO_INDEX_URL": index.url,
        "SECRET_TOKEN": SECRET,
    }
    return Recto({**recto.variables, **variables}, recto.cwd)


@pytest.fixture
def asking(project: Path) -> Path:
    (project / "requirements.txt").write_text("tiny\n")
    return project


def build(recto: Recto, **variables: str) -> Ran:
    return recto("env", "build", "--json", **variables)


def environment_of(data: Path) -> Path:
    (found,) = (data / "v1" / "envs").glob("**/bin/tiny")
    return found.parent.parent


def test_a_package_with_source_only_is_built_installed_and_found_again(
    trusting: Recto, index: LoopbackIndex, asking: Path, data: Path
) -> None:
    index.add_buildable("tiny", "1.0", backend(PLAIN))

    first = build(trusting)
    asked = len(index.asked)
    second = build(trusting)

    assert (first.code, second.code) == (0, 0), first.out + first.err
    assert "building tiny from source" in first.err
    assert len(index.asked) == asked
    environment = environment_of(data)
    assert len(list(environment.glob("lib/*/site-packages/tiny.py"))) == 1
    assert "sdist" in next(environment.parent.rglob("pylock.toml")).read_text()


def test_a_source_is_no_answer_unless_the_policy_says_so(trusting: Recto, index: LoopbackIndex, asking: Path) -> None:
    index.add_buildable("tiny", "1.0", backend(PLAIN))

    refused = build(trusting, RECTO_BUILDS="off")

    assert (refused.code, refused.codes) == (1, ["no-wheel"])
    assert not [path for path in index.asked if path.endswith(".tar.gz")]


def test_a_wheel_is_taken_where_one_fits(trusting: Recto, index: LoopbackIndex, asking: Path) -> None:
    index.add("tiny", "0.9")
    index.add_buildable("tiny", "1.0", backend(PLAIN))

    assert build(trusting).code == 0
    assert not [path for path in index.asked if path.endswith(".tar.gz")]


# Whatever it gets at is an error, so that both steps tell of it: one runs while versions are looked for.
ATTACK = """\
import glob, json, socket, subprocess, sys

TRIES = json.loads({tries!r})

def reached(act):
    try:
        act()
    except Exception:
        return False
    return True

def connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(2)
        client.connect(address)

def plant(path):
    with open(path, "ab") as file:
        file.write(b"planted")

def secret(path):
    if TRIES["secret"].encode() not in open(path, "rb").read():
        raise LookupError

def meanwhile(step, directory):
    global SOURCE
    plant(os.path.join(directory, "own"))
    os.unlink(os.path.join(directory, "own"))
    processes = glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline")
    ways = {{
        **{{path: reached(lambda: plant(path)) for path in TRIES["write"]}},
        **{{path: reached(lambda: secret(path)) for path in TRIES["read"] + processes}},
        "loopback": reached(lambda: connect(socket.AF_INET, ("127.0.0.1", TRIES["port"]))),
        "abstract": reached(lambda: connect(socket.AF_UNIX, chr(0) + TRIES["abstract"])),
    }}
    subprocess.Popen(["/bin/sleep", TRIES["seconds"]], start_new_session=True, stdout=-3, stderr=-3)
    got = [way for way, whether in ways.items() if whether]
    if got:
        raise RuntimeError("REACHED " + " ".join(got))
    SOURCE = "def main(): pass\\nTRIED = " + repr(sorted(ways)) + "\\n"
"""


@pytest.fixture
def outside(tmp_path: Path, data: Path, kernel_base: Base) -> Iterator[dict[str, Any]]:
    """What must not be reached, with the listeners that would notice."""
    other = tmp_path / "other-project"
    other.mkdir()
    (other / "secret.txt").write_text(SECRET)
    (tmp_path / "home").mkdir()
    kept = [data / "v1" / "cache" / "uv", data / "v1" / "envs", data / "v1" / "cache"]
    for directory in kept:
        directory.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        name = f"recto-sources-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        yield {
            "secret": SECRET,
            # Of this test alone: the base is that of all tests, and another one may look for daemons meanwhile.
            "write": [str(path / name) for path in (*kept, tmp_path / "home", other, kernel_base.prefix)],
            "seconds": f"98.{os.getpid()}",
            "read": [str(other / "secret.txt")],
            "port": tcp.getsockname()[1],
            "abstract": name,
            "servers": (tcp, abstract),
        }


def attack(outside: dict[str, Any]) -> str:
    tries = json.dumps({name: value for name, value in outside.items() if name != "servers"})
    return backend(ATTACK.format(tries=tries))


def sleeping(outside: dict[str, Any]) -> list[psutil.Process]:
    """The daemons that the script started and that are still there."""
    return [
        one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["/bin/sleep", outside["seconds"]]
    ]


def knocked(outside: dict[str, Any]) -> int:
    """How many listeners somebody came to."""
    count = 0
    for server in outside["servers"]:
        server.setblocking(False)
        with suppress(BlockingIOError):
            server.accept()[0].close()
            count += 1
    return count


def test_a_build_script_reaches_nothing_of_others(
    trusting: Recto, index: LoopbackIndex, asking: Path, data: Path, outside: dict[str, Any]
) -> None:
    index.add_buildable("tiny", "1.0", attack(outside))

    built = build(trusting)

    assert built.code == 0, built.out + built.err
    (module,) = environment_of(data).glob("lib/*/site-packages/tiny.py")
    assert all(path in module.read_text() for path in (*outside["write"], *outside["read"], "loopback"))
    assert not [path for path in outside["write"] if Path(path).exists()]
    assert knocked(outside) == 0
    assert sleeping(outside) == []
    # Neither the source nor what was unpacked of its wheel came into the cache that all share.
    shared = data / "v1" / "cache" / "uv"
    assert not [path for path in shared.rglob("*") if path.name in ("tiny.py", "backend.py")]
    assert module.stat().st_nlink == 1


def test_the_same_script_reaches_it_all_where_nothing_contains_it(
    index: LoopbackIndex, outside: dict[str, Any], uv: Path, tmp_path: Path, kernel_base: Base
) -> None:
    index.add_buildable("tiny", "1.0", attack(outside))

    options = ("--no-config", "--default-index", index.url, "--cache-dir", tmp_path / "c", "--target", tmp_path / "t")
    environment = {"PATH": "/usr/bin:/bin", "SECRET_TOKEN": SECRET}
    done = subprocess.run(
        [uv, "pip", "install", *options, "--python", sys.executable, "tiny"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    for one in sleeping(outside):
        one.kill()
    (kernel_base.prefix / outside["abstract"]).unlink(missing_ok=True)

    assert all(way in done.stderr for way in (*outside["write"], *outside["read"], "/environ", "loopback", "abstract"))
    assert knocked(outside) == 2


@pytest.mark.parametrize("step", ["metadata", "wheel"])
def test_a_build_that_fails_is_told_at_the_line_that_asks_for_it(
    trusting: Recto, index: LoopbackIndex, asking: Path, step: str
) -> None:
    index.add_buildable(
        "tiny",
        "1.0",
        backend(
            f"def meanwhile(step, directory):\n    if step == {step!r}: raise RuntimeError('no luck')\nSOURCE = ''\n"
        ),
    )

    failed = build(trusting)

    assert (failed.code, failed.codes[0]) == (1, "build-script-error"), failed.out
    found = failed.json["problems"][0]
    assert (found["package"], found["source"]["file"], found["source"]["line"]) == ("tiny", "requirements.txt", 1)
    assert "no luck" in found["message"]


@pytest.mark.makes("build-wheel-refused")
@pytest.mark.parametrize(
    "left",
    [
        "write(os.path.dirname(os.getcwd()), tag='cp39-none-any')",
        "return write(directory, name='other')",
        "return write(directory, version='2.0')",
        "return write(directory, tag='cp27-cp27mu-win32')",
        "return write(directory, module='other-1.0.dist-info/x')",
    ],
    ids=["two", "another-name", "another-version", "another-machine", "two-records"],
)
def test_what_is_not_the_one_wheel_is_refused(
    trusting: Recto, index: LoopbackIndex, asking: Path, data: Path, left: str
) -> None:
    meanwhile = f"SOURCE = ''\ndef meanwhile(step, directory):\n    if step == 'wheel':\n        {left}\n"
    index.add_buildable("tiny", "1.0", backend(meanwhile))

    refused = build(trusting)

    assert refused.code == 1
    assert refused.codes[0] == "build-wheel-refused"
    assert not list((data / "v1" / "envs").glob("**/bin/tiny"))


@pytest.mark.parametrize(
    ("step", "limit", "code"),
    [("wheel", "RECTO_BUILD_SECONDS", "cap-build-time"), ("metadata", "RECTO_RESOLVE_SECONDS", "cap-resolve-time")],
)
def test_a_build_that_never_ends_is_ended(
    trusting: Recto, index: LoopbackIndex, asking: Path, step: str, limit: str, code: str
) -> None:
    meanwhile = (
        f"import time\nSOURCE = ''\ndef meanwhile(step, directory):\n    while step == {step!r}: time.sleep(60)\n"
    )
    index.add_buildable("tiny", "1.0", backend(meanwhile))

    ended = build(trusting, **{limit: "6"})

    assert ended.codes[0] == code, ended.out


@pytest.mark.makes("resolution-unreadable")
def test_an_answer_that_a_script_put_a_link_for_is_not_read(
    trusting: Recto, index: LoopbackIndex, asking: Path
) -> None:
    # uv writes the answer to where the link leads.
    meanwhile = (
        "SOURCE = ''\ndef meanwhile(step, directory):\n"
        "    lock = os.path.join(os.environ['HOME'], 'pylock.toml')\n"
        "    if os.path.exists(lock): os.rename(lock, lock + '.own'); os.symlink(lock + '.own', lock)\n"
    )
    index.add_buildable("tiny", "1.0", backend(meanwhile))

    refused = build(trusting)

    assert (refused.code, refused.codes) == (1, ["resolution-unreadable"])


@pytest.mark.makes("builds-uncontained")
@pytest.mark.parametrize(
    "variables",
    [
        {"RECTO_SANDBOX": "none"},
        {"RECTO_SANDBOX": "landlock"},
        {"RECTO_INDEX_URL": "http://reader:p4ssw0rd@127.0.0.1:9/simple/"},
    ],
    ids=["none", "landlock", "password"],
)
def test_nothing_is_built_where_nothing_contains_it(
    trusting: Recto, index: LoopbackIndex, asking: Path, variables: dict[str, str]
) -> None:
    index.add_buildable("tiny", "1.0", backend(PLAIN))

    refused = build(trusting, **variables)

    assert refused.code == 1
    assert problem("builds-uncontained", reason="").message.split(":")[0] in refused.out + refused.err
    assert "p4ssw0rd" not in refused.out + refused.err
    assert index.asked == []


@pytest.mark.parametrize("changed", [False, True], ids=["kept", "changed"])
def test_a_removed_environment_is_built_again_of_the_kept_wheel(
    trusting: Recto, index: LoopbackIndex, asking: Path, data: Path, changed: bool
) -> None:
    index.add_buildable("tiny", "1.0", backend(PLAIN))
    key = build(trusting).json["key"]
    (wheel,) = (data / "v1" / "cache" / "built").glob("*/*/*.whl")
    if changed:
        wheel.write_bytes(wheel.read_bytes() + b"more")
    asked = len(index.asked)
    assert trusting("env", "rm", key).code == 0

    again = build(trusting)

    assert (again.code, again.json["key"], again.json["state"]) == (0, key, "built"), again.out + again.err
    assert (len(index.asked) > asked) is changed
    assert ("from source" in again.err) is changed


@pytest.mark.network
def test_a_real_package_with_source_only_is_built_and_imported(trusting: Recto, project: Path, data: Path) -> None:
    (project / "requirements.txt").write_text("docopt==0.6.2\n")
    own = {name: value for name, value in trusting.variables.items() if name != "RECTO_INDEX_URL"}
    trusting = Recto(own, project)
    (project / "a.qmd").write_text(
        "---\ntitle: A\n---\n\n```{python}\nimport docopt; open('seen.txt', 'w').write(docopt.__version__)\n```\n"
    )

    rendered = trusting("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")

    assert rendered.json["status"] == "success", rendered.out
    assert (project / "seen.txt").read_text() == "0.6.2"
    assert not list((data / "v1" / "cache" / "uv").rglob("docopt.py"))


def test_a_wheel_in_the_way_of_another_file_is_refused(trusting: Recto, index: LoopbackIndex, asking: Path) -> None:
    # Its module lies below what is the file that leads to the base.
    meanwhile = (
        "SOURCE = ''\ndef meanwhile(step, directory):\n"
        f"    return step == 'wheel' and write(directory, module='{LAYER}/x')\n"
    )
    index.add_buildable("tiny", "1.0", backend(meanwhile))

    refused = build(trusting)

    assert (refused.code, refused.codes[0]) == (1, "build-wheel-refused"), refused.out
