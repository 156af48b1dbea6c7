"""Real installers in a world without a network, behind the forwarder and the door; and what it cannot reach."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from doors import PORT, PYTHON, Place, contained, listening, named

from containing import needs_bubblewrap
from loopback_index import LoopbackIndex, serving
from recto.sandbox.base import Command
from recto.sandbox.bubblewrap import Bubblewrap
from recto.sandbox.door.client import seen_inside
from recto.sandbox.door.destinations import Destination, of_url
from recto.sandbox.door.hosts import access
from recto.sandbox.door.leading import Leading
from recto.sandbox.door.proxy import Door
from recto.sandbox.door.upstream import upstreams

pytest_plugins = ("door_fixtures",)
pytestmark = needs_bubblewrap

# Tries each way out that a program has, and prints what came of it.
PROBE = """
import socket, sys
port, machine, evil = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def attempt(name, act):
    try:
        act()
    except OSError as error:
        print(name, type(error).__name__)
    else:
        print(name, "REACHED")

def through_the_door(target):
    with socket.create_connection(("127.0.0.1", DOOR)) as client:
        client.sendall(f"CONNECT {target} HTTP/1.1\\r\\n\\r\\n".encode())
        status = client.recv(100).split(b" ")[1].decode()
    if status != "200":
        raise PermissionError(status)

attempt("loopback", lambda: socket.create_connection(("127.0.0.1", port)))
attempt("loopback-6", lambda: socket.create_connection(("::1", port)))
attempt("machine", lambda: socket.create_connection((machine, port), 5))
attempt("world", lambda: socket.create_connection(("192.0.2.1", 443), 5))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
attempt("name", lambda: socket.getaddrinfo("index.example", 443))
attempt("abstract", lambda: socket.socket(socket.AF_UNIX).connect("\\0" + evil))
for target in ("127.0.0.1:%d" % port, "localhost:%d" % port, "127.1:%d" % port, "[::1]:%d" % port,
               machine + ":%d" % port, "169.254.169.254:80", "evil.example:443"):
    attempt(target, lambda: through_the_door(target))
"""


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """An index on the machine's own loopback, which a world without a network cannot see."""
    with serving(LoopbackIndex()) as one:
        one.add("small", "1.0", "smaller>=1")
        one.add("smaller", "1.2")
        yield one


def over(index: LoopbackIndex) -> Destination:
    found = of_url(index.url)
    assert found is not None
    return found


def inside(scratch: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """An installer's environment inside: nothing of ours but the way out."""
    own = {"HOME": str(scratch), "TMPDIR": str(scratch), "PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": "/dev/null"}
    return {**seen_inside(environment, PORT), **own}


def uv_words(uv: Path, scratch: Path, url: str, *packages: str) -> list[object]:
    options = ("--no-config", "--no-build", "--cache-dir", scratch / "cache", "--default-index", url)
    return [uv, "pip", "install", *options, "--python", PYTHON, "--target", scratch / "site", *packages]


def pip_words(scratch: Path, url: str, *packages: str) -> list[object]:
    options = ("--no-input", "--disable-pip-version-check", "--index-url", url, "--dest", scratch / "wheels")
    return [sys.executable, "-m", "pip", "download", *options, *packages]


def test_uv_installs_from_an_index_of_the_machine(uv: Path, index: LoopbackIndex, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with Door(named(over(index)), scratch=tmp_path) as door:
        done = contained(door, *uv_words(uv, work, index.url, "small"), writable=work, environment=inside(work, {}))

        assert done.returncode == 0, done.stderr
        assert set(door.counts.allowed) == {f"127.0.0.1:{index.port}"}
        assert door.counts.refused == {}
    assert {path.name for path in (work / "site").glob("*.dist-info")} == {
        "small-1.0.dist-info",
        "smaller-1.2.dist-info",
    }


def test_pip_downloads_from_an_index_of_the_machine(index: LoopbackIndex, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with Door(named(over(index)), scratch=tmp_path) as door:
        done = contained(door, *pip_words(work, index.url, "small"), writable=work, environment=inside(work, {}))

        assert done.returncode == 0, done.stderr
        assert door.counts.refused == {}
    assert len(list((work / "wheels").glob("*.whl"))) == 2


def test_a_file_that_is_elsewhere_is_refused_and_counted(uv: Path, index: LoopbackIndex, tmp_path: Path) -> None:
    index.projects["small"][0]["url"] = "http://elsewhere.example/small-1.0-py3-none-any.whl"
    work = tmp_path / "work"
    work.mkdir()
    with Door(named(over(index)), scratch=tmp_path) as door:
        done = contained(door, *uv_words(uv, work, index.url, "small"), writable=work, environment=inside(work, {}))

        assert done.returncode != 0
        assert "403" in done.stderr
        assert set(door.counts.refused) == {"elsewhere.example:80"}


def test_no_way_but_the_door_leads_out_of_it(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    machine = _own_address()
    place = Place(greeting=b"here")
    abstract = f"recto-probe-{tmp_path.name}"
    with listening(place), socket.socket(socket.AF_UNIX) as hidden:
        hidden.bind(f"\0{abstract}")
        hidden.listen()
        hidden.settimeout(0)
        with Door(named(Destination("index.example", 443, True)), scratch=tmp_path) as door:
            probe = PROBE.replace("DOOR", str(PORT))
            words = (PYTHON, "-I", "-S", "-c", probe, place.port, machine, abstract)
            done = contained(door, *words, writable=work, environment={})
            refused = door.counts.refused
        with pytest.raises(BlockingIOError):
            hidden.accept()
        # It does answer those who reach it.
        with socket.create_connection(("127.0.0.1", place.port)) as caller:
            assert caller.recv(4) == b"here"

    assert done.returncode == 0, done.stderr
    found = dict(line.split() for line in done.stdout.splitlines())
    assert len(found) == 14
    assert "REACHED" not in found.values()
    assert sum(refused.values()) == 7
    assert place.calls == 1


def _own_address() -> str:
    """The address that the machine has in its network, or one of its loopback's if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        address: str = probe.getsockname()[0]
        return address


@pytest.mark.network
def test_uv_installs_from_the_index(uv: Path, default_index_url: str, way: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    led = access(default_index_url, tmp_path / "hosts", way)
    with Door(led, upstreams=upstreams(way), scratch=tmp_path) as door:
        words = uv_words(uv, work, default_index_url, "packaging", "six", "attrs")
        done = contained(door, *words, writable=work, environment=inside(work, way))

        assert done.returncode == 0, done.stderr
        assert door.counts.refused == {}
        assert len(door.counts.allowed) == 2
    assert {path.name for path in (work / "site").iterdir()} >= {"packaging", "six.py", "attrs"}


@pytest.mark.network
def test_pip_downloads_from_the_index(default_index_url: str, way: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    led = access(default_index_url, tmp_path / "hosts", way)
    with Door(led, upstreams=upstreams(way), scratch=tmp_path) as door:
        words = pip_words(work, default_index_url, "six")
        done = contained(door, *words, writable=work, environment=inside(work, way))

        assert done.returncode == 0, done.stderr
        assert door.counts.refused == {}
    assert len(list((work / "wheels").glob("six-*.whl"))) == 1


def test_the_sandbox_itself_leads_a_build_out_by_its_door(uv: Path, index: LoopbackIndex, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    command = Command(
        argv=tuple(map(str, uv_words(uv, work, index.url, "small"))),
        cwd=work,
        environment=inside(work, {}),
        read_only=(uv, PYTHON.parent.parent),
        writable=(work,),
        network="index",
    )

    outcome = Bubblewrap(leading=Leading(lambda: named(over(index)), {})).run(command)

    assert outcome.succeeded, outcome.stderr
    assert index.asked
    assert (work / "site" / "small-1.0.dist-info").is_dir()
