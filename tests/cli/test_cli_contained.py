"""Documents of strangers, rendered by the real command in bubblewrap: what their cells try, and what is left."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from commandline import Recto, valid
from containing import needs_bubblewrap
from recto.interpreters import Base
from recto.problems import problem

pytest_plugins = ("cli_fixtures",)
pytestmark = needs_bubblewrap

SECRET = "planted-secret-5d1f"

# One document that tries everything, so that one render shows what each try became.
DOCUMENT = """\
---
title: Attack
---

```{python}
import errno, glob, json, os, socket, subprocess, sys

def became(act):
    try:
        return act()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except Exception as error:
        return type(error).__name__

def read(path):
    return open(path, "rb").read().decode("utf-8", "replace")

def write(path):
    with open(path, "ab") as file:
        file.write(b"planted")
    return "done"

def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(address)
    return "done"

tries = json.load(open("tries.json"))
site = next(path for path in sys.path if path.endswith("site-packages"))
stdlib = os.path.dirname(os.__file__)
seen = {
    "processes": [became(lambda: read(path)) for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline")],
    "environment": dict(os.environ),
    "arguments": sys.argv,
    "read": {path: became(lambda: read(path)) for path in tries["read"]},
    "write": {
        path: became(lambda: write(path))
        for path in (site + "/planted.pth", stdlib + "/os.py", "/usr/bin/planted", "/etc/passwd", "/planted")
    },
    "loopback": became(lambda: connect(socket.AF_INET, ("127.0.0.1", tries["port"]))),
    "outside": became(lambda: connect(socket.AF_INET, ("192.0.2.1", 80))),
    "abstract": became(lambda: connect(socket.AF_UNIX, chr(0) + tries["abstract"])),
    "socket": became(lambda: connect(socket.AF_UNIX, tries["socket"])),
    "name": became(lambda: socket.getaddrinfo("example.com", 80) and "done"),
    "uid": os.getuid(),
    "pids": sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()),
    "roots": {path: became(lambda: sorted(os.listdir(path))) for path in tries["list"]},
}
with open("seen.json", "w") as file:
    json.dump(seen, file)
```
"""


@pytest.fixture
def contained(recto: Recto) -> Recto:
    return Recto({**recto.variables, "RECTO_SANDBOX": "bubblewrap", "SECRET_TOKEN": SECRET}, recto.cwd)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Mapping[str, Any]]:
    """What must not be reached: files of others, and services of the machine that count who came."""
    other = tmp_path / "other-project"
    other.mkdir()
    (other / "secret.txt").write_text(SECRET)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(f"machine index.example password {SECRET}")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as path,
    ):
        name = f"recto-test-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        path.bind(str(tmp_path / "s"))
        path.listen()
        yield {
            "read": [str(path) for path in (other / "secret.txt", home / ".netrc", "/etc/shadow", "/root/.netrc")],
            "list": [str(tmp_path), "/home", "/root", "/etc"],
            "port": tcp.getsockname()[1],
            "abstract": name,
            "socket": str(tmp_path / "s"),
            "servers": (tcp, abstract, path),
        }


def digest(directory: Path) -> str:
    """Stands for every byte, name and mode below the directory."""
    total = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        total.update(f"{path.relative_to(directory)} {status.st_mode} {status.st_size} {status.st_mtime_ns}".encode())
    return total.hexdigest()


def test_a_document_reaches_nothing_but_its_project(
    contained: Recto, project: Path, outside: Mapping[str, Any], kernel_base: Base, data: Path
) -> None:
    (project / "attack.qmd").write_text(DOCUMENT)
    (project / "tries.json").write_text(json.dumps({key: value for key, value in outside.items() if key != "servers"}))
    before = digest(kernel_base.prefix)

    ran = contained("render", "attack.qmd", "--to", "html", "--engine", "jupyter", "--json")

    assert ran.json["status"] == "success", ran.out
    seen = json.loads((project / "seen.json").read_text())
    assert SECRET not in json.dumps(seen)
    assert {seen["read"][path] for path in outside["read"]} <= {"ENOENT", "EACCES"}
    assert set(seen["write"].values()) <= {"EROFS", "EACCES", "ENOENT", "EPERM"}
    assert seen["uid"] != 0
    for way in ("loopback", "outside", "abstract", "socket", "name"):
        assert seen[way] != "done", way
    for server in outside["servers"]:
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    # Bubblewrap, what runs the cells, and the kernel.
    assert len(seen["pids"]) < 8
    assert "other-project" not in seen["roots"][str(project.parent)]
    assert digest(kernel_base.prefix) == before
    assert SECRET not in ran.out + ran.err
    written = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file() and not path.is_symlink())
    assert SECRET.encode() not in written


def test_a_render_leaves_no_process_whatever_its_cells_start(contained: Recto, project: Path) -> None:
    (project / "daemon.qmd").write_text(
        "---\ntitle: Daemon\n---\n\n```{python}\nimport subprocess, sys\n"
        "for _ in range(3):\n"
        "    subprocess.Popen(['/usr/bin/setsid', '/bin/sleep', '987654'], env={}, start_new_session=True)\n```\n"
    )

    ran = contained("render", "daemon.qmd", "--to", "html", "--engine", "jupyter", "--json")

    assert ran.json["status"] == "success", ran.out
    assert [
        process for process in psutil.process_iter(["cmdline"]) if "987654" in (process.info["cmdline"] or [])
    ] == []


@pytest.mark.makes("run-uncontained")
def test_run_is_refused_where_containment_is_asked_for(contained: Recto, project: Path) -> None:
    ran = contained("run", "--", "true")

    assert ran.code == 1
    assert problem("run-uncontained", mechanism="bubblewrap").message in ran.err


def test_nothing_is_rendered_by_a_mechanism_that_does_not_exist(contained: Recto, project: Path) -> None:
    (project / "a.qmd").write_text("---\ntitle: A\n---\n\n```{python}\nopen('ran', 'w')\n```\n")

    ran = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json", RECTO_SANDBOX="jail")

    assert ran.code != 0
    assert "RECTO_SANDBOX" in ran.err
    assert not (project / "ran").exists()


def test_nothing_is_rendered_where_bubblewrap_refuses(contained: Recto, project: Path, tmp_path: Path) -> None:
    (project / "a.qmd").write_text("---\ntitle: A\n---\n\n```{python}\nopen('ran', 'w')\n```\n")

    absent = str(tmp_path / "absent")
    ran = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json", RECTO_SANDBOX_SHOW=absent)

    assert ran.codes == ["sandbox-unavailable"]
    assert absent in ran.json["problems"][0]["message"]
    assert not (project / "ran").exists()


def attacking(project: Path, code: str) -> None:
    (project / "a.qmd").write_text(f"---\ntitle: A\n---\n\n```{{python}}\n{code}\n```\n")


@pytest.mark.parametrize(
    ("code", "limit", "cause"),
    [
        ("x = [bytearray(50_000_000) for _ in range(40)]", {"RECTO_SANDBOX_MEMORY": "600 MB"}, "out-of-memory"),
        (
            "import os, time\n"
            "for n in range(100):\n    open(f'{n}.bin', 'wb').write(os.urandom(5_000_000)); time.sleep(0.05)",
            {"RECTO_SANDBOX_DISK": "50 MB"},
            "disk-limit",
        ),
        (
            "import threading, time\nfor _ in range(400):\n    threading.Thread(target=time.sleep, args=(20,)).start()",
            {"RECTO_SANDBOX_PROCESSES": "100"},
            "process-limit",
        ),
        ("while True: pass", {"RECTO_RENDER_SECONDS": "8"}, "render-timeout"),
    ],
    ids=["memory", "disk", "processes", "time"],
)
def test_what_ends_a_document_is_told_apart(
    contained: Recto, project: Path, code: str, limit: dict[str, str], cause: str
) -> None:
    attacking(project, code)

    ran = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json", **limit)

    assert ran.codes[:1] == [cause], ran.out


@pytest.mark.network
def test_an_environment_is_built_contained_and_used(contained: Recto, project: Path, data: Path) -> None:
    (project / "requirements.txt").write_text("humanize\n")
    attacking(project, "import humanize, json, sys; json.dump([humanize.__file__, sys.prefix], open('seen.json', 'w'))")

    built = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")
    again = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")

    assert (built.json["status"], built.json["environment"]["state"]) == ("success", "built"), built.out
    assert (again.json["status"], again.json["environment"]["state"]) == ("success", "cached")
    assert json.loads((project / "seen.json").read_text())[1].startswith(str(data))
    linked = [path for path in (data / "v1" / "envs").rglob("*.py") if path.stat().st_nlink > 1]
    assert linked


def test_a_render_can_name_another_sandbox(recto: Recto, project: Path) -> None:
    attacking(project, "import socket; open('seen.json', 'w').write(socket.gethostname())")

    ran = recto("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json", "--sandbox", "bubblewrap")
    assert ran.json["status"] == "success", ran.out
    named = (project / "seen.json").read_text()
    recto("render", "a.qmd", "--to", "html", "--engine", "jupyter")

    assert (named, (project / "seen.json").read_text()) == ("sandbox", socket.gethostname())


def test_a_render_says_what_contained_it_and_by_what_each_limit_was_kept(contained: Recto, project: Path) -> None:
    attacking(project, "print('here')")

    ran = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json")
    said = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter")

    sandbox = valid(ran.json, "render")["sandbox"]
    assert sandbox["mechanism"] == "bubblewrap"
    assert sandbox["limits"].keys() == {"memory", "processes", "cpus", "disk"}
    assert sandbox["limits"]["disk"] == "watched"
    words = "; ".join(f"{name}: {tier}" for name, tier in sandbox["limits"].items())
    assert f"Contained by bubblewrap; {words}.\n" in said.err


def test_the_log_of_a_failed_render_says_what_contained_it(contained: Recto, project: Path, tmp_path: Path) -> None:
    attacking(
        project, "import os, signal, sys; print('words', file=sys.__stderr__); os.kill(os.getppid(), signal.SIGTERM)"
    )

    ran = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json", TMPDIR=str(tmp_path))

    assert ran.codes == ["render-failed"], ran.out
    (log,) = tmp_path.glob("recto-*.log")
    tiers = [f"; {name}: {tier}" for name, tier in ran.json["sandbox"]["limits"].items()]
    assert log.read_text().splitlines()[0] == f"(contained: bubblewrap{''.join(tiers)})"


def test_a_render_that_ran_nothing_says_of_no_containment(contained: Recto, project: Path) -> None:
    ran = contained("render", "absent.qmd", "--json")

    assert valid(ran.json, "render")["sandbox"] is None


def test_what_a_killed_render_left_goes_when_somebody_looks(contained: Recto, project: Path, tmp_path: Path) -> None:
    os.mkfifo(project / "pipe", 0o666)
    attacking(project, "open('pipe', 'w').write('here')\nimport signal\nsignal.pause()")
    place = tmp_path / "tmp"
    place.mkdir()
    render = ("render", "a.qmd", "--to", "html", "--engine", "jupyter")

    killed = contained.start(*render, TMPDIR=str(place))
    assert (project / "pipe").read_text() == "here"
    assert len(list(place.glob("recto-held-*"))) == 1
    assert contained("env", "prune", TMPDIR=str(place)).err == ""
    assert len(list(place.glob("recto-held-*"))) == 1
    killed.kill()
    killed.communicate()
    pruned = contained("env", "prune", TMPDIR=str(place))

    assert "1 leftover" in pruned.err
    assert list(place.iterdir()) == []


def test_a_document_gets_no_cache_that_others_share(contained: Recto, project: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared-cache"
    shared.mkdir(mode=0o777)
    attacking(
        project,
        f"import json, os\nfrom pathlib import Path\ntry:\n    (Path({str(shared)!r}) / 'planted').touch()\n"
        "except OSError:\n    pass\njson.dump(dict(os.environ), open('seen.json', 'w'))",
    )

    named = {"RECTO_RENDER_VARIABLES": "XDG_CACHE_HOME, OTHER", "XDG_CACHE_HOME": str(shared), "OTHER": "seen"}
    ran = contained("render", "a.qmd", "--to", "html", "--engine", "jupyter", "--json", **named)

    assert ran.json["status"] == "success", ran.out
    seen = json.loads((project / "seen.json").read_text())
    assert (seen["OTHER"], "XDG_CACHE_HOME" in seen) == ("seen", False)
    assert list(shared.iterdir()) == []
