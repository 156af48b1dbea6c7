"""`recto gateway` as a process: how it starts, why it does not, how it ends, and what it never tells."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from commandline import Recto
from gateway_process import gateway, pip_installer, uv_installer
from gateways import client
from loopback_index import LoopbackIndex, serving
from recto.problems import KINDS

pytest_plugins = ("cli_fixtures",)

SECRET = "hunter2Qx7secret"
WHEEL = "alpha-1.0-py3-none-any.whl"

MISTAKES = """\
[rules]
wheels-only = "yes"
minimum-age-days = -1
yankd = "hide"
malicious = "block"
[tenants.biology.rules]
allow = ["numpy @ somewhere"]
"""


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with serving(LoopbackIndex()) as served:
        served.add("alpha", "1.0")
        yield served


@pytest.fixture
def below(bare: Recto, index: LoopbackIndex) -> Recto:
    """`recto` that knows this index and no other."""
    return Recto({**bare.variables, "RECTO_GATEWAY_INDEXES": index.url}, bare.cwd)


def at(path: Path) -> httpx2.Client:
    return httpx2.Client(transport=httpx2.HTTPTransport(uds=str(path)), base_url="http://gateway", timeout=30)


def test_everything_that_is_wrong_with_the_rules_is_said_at_once(below: Recto, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(MISTAKES)

    done = below("gateway", "--port", 0, RECTO_GATEWAY_RULES=str(rules))

    assert done.code == 1
    for key in ("wheels-only", "minimum-age-days", "yankd", "malicious", "tenants.biology.rules.allow"):
        assert key in done.err
    assert done.err.count("error:") == 5


@pytest.mark.makes("gateway-address")
def test_a_port_that_is_taken(below: Recto) -> None:
    with gateway(below) as first:
        port = first.address.rpartition(":")[2]
        done = below("gateway", "--port", port)

    assert done.code == 1
    assert KINDS["gateway-address"].hint in done.err
    assert f"cannot listen at `127.0.0.1:{port}`: Address already in use" in done.err


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none(below: Recto, port: int) -> None:
    done = below("gateway", "--port", port)

    assert done.code == 1
    assert f"cannot listen at `127.0.0.1:{port}`" in done.err


def test_an_address_of_either_family_is_told_as_one_that_installers_take(below: Recto) -> None:
    with socket.create_server(("127.0.0.1", 0)) as any_port:
        port = any_port.getsockname()[1]
    with gateway(below, "--host", "::1", "--port", port) as running, client(running.address) as asking:
        assert running.address == f"http://[::1]:{port}"
        assert asking.get("/health").status_code == 200


def test_a_socket_is_taken_over_from_a_gateway_that_was_killed_and_from_nobody_else(
    below: Recto, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.sock"
    with gateway(below, "--socket", path) as running:
        done = below("gateway", "--socket", path)
        assert (done.code, done.err.count("error:")) == (1, 1)
        assert f"cannot listen at `{path}`: Address already in use" in done.err
        with at(path) as asking:
            assert asking.get("/simple/alpha/").status_code == 200
        assert running.end(signal.SIGKILL)[0] == -signal.SIGKILL
    assert path.is_socket()

    with gateway(below, "--socket", path) as running:
        with at(path) as asking:
            assert asking.get("/simple/alpha/").status_code == 200
        running.end()
    assert not path.exists()


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir], ids=["file", "directory"])
def test_what_is_no_socket_is_left_where_it_is(below: Recto, tmp_path: Path, make: object) -> None:
    path = tmp_path / "gateway.sock"
    assert callable(make)
    make(path)

    done = below("gateway", "--socket", path)

    assert done.code == 1
    assert f"cannot listen at `{path}`" in done.err
    assert path.exists()


@pytest.mark.parametrize("path", ["no/such/directory.sock", "x" * 200])
def test_a_socket_where_none_can_be(below: Recto, tmp_path: Path, path: str) -> None:
    done = below("gateway", "--socket", tmp_path / path)

    assert done.code == 1
    assert "cannot listen at" in done.err


@pytest.mark.makes("gateway-without-index")
def test_an_installer_that_names_no_index(bare: Recto, tmp_path: Path) -> None:
    """An installation of its own, whose `uv` is another program."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    (packages,) = (tmp_path / "own" / "lib").glob("*/site-packages")
    (packages / "recto.pth").write_text("\n".join(path for path in sys.path if path and "tests" not in path))
    (tmp_path / "own" / "bin" / "uv").symlink_to("/bin/true")
    own = Recto(bare.variables, bare.cwd, (str(tmp_path / "own" / "bin" / "python"), "-m", "recto"))

    done = own("gateway", "--port", 0)

    assert done.code == 1
    assert KINDS["gateway-without-index"].message in done.err
    with serving(LoopbackIndex()) as index, gateway(own, RECTO_GATEWAY_INDEXES=index.url):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(below: Recto, number: signal.Signals) -> None:
    with gateway(below) as running, client(running.address) as asking:
        asking.get("/simple/alpha/")
        assert running.end(number) == (130, "Interrupted.\n")


def test_what_is_under_way_holds_up_no_end(below: Recto, index: LoopbackIndex) -> None:
    index.mute.add("silent")
    with gateway(below) as running, client(running.address) as asking:
        port = int(running.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            waiting.sendall(b"GET /simple/silent/ HTTP/1.1\r\nHost: x\r\n\r\n")
            # The index is asked before the gateway answers what comes next.
            while "/simple/silent/" not in index.asked:
                asking.get("/health")
            assert running.end() == (130, "Interrupted.\n")


def test_a_gateway_that_is_killed_leaves_nothing_that_hinders_the_next(below: Recto, data: Path) -> None:
    with gateway(below) as running:
        with client(running.address) as asking:
            assert asking.get("/simple/alpha/").status_code == 200
        running.end(signal.SIGKILL)
    (data / "v1" / "cache" / "gateway" / "coming" / "left").write_bytes(b"half")

    with gateway(below) as running, client(running.address) as asking:
        (file,) = asking.get("/simple/alpha/").json()["files"]
        assert asking.get(f"/simple/alpha/{file['url']}").status_code == 200

    assert list((data / "v1" / "cache" / "gateway" / "coming").iterdir()) == []
    done = below("audit", "export")
    assert [json.loads(line)["verdict"] for line in done.out.splitlines()] == ["served", "served", "served"]


def test_nobody_says_of_themselves_who_asks(below: Recto) -> None:
    with gateway(below) as running, client(running.address) as asking:
        asking.get("/simple/alpha/", headers={"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"})

    (line,) = below("audit", "export").out.splitlines()
    assert json.loads(line)["client"] == "127.0.0.1"


def keyring(directory: Path, program: str) -> Path:
    """A command `keyring` in this directory, as uv and pip call it."""
    directory.mkdir()
    command = directory / "keyring"
    command.write_text(f"#!/bin/sh\n{program}\n")
    command.chmod(0o755)
    return directory


@pytest.mark.parametrize("kept", ["address", "keyring"])
def test_a_password_reaches_the_index_and_nobody_else(
    below: Recto, index: LoopbackIndex, tmp_path: Path, data: Path, kept: str
) -> None:
    index.password = SECRET
    variables = {"RECTO_GATEWAY_INDEXES": index.url}
    if kept == "keyring":
        plain = f"http://127.0.0.1:{index.port}/simple/"
        program = f'[ "$*" = "get {plain} reader" ] && echo {SECRET}'
        path = keyring(tmp_path / "bin", program)
        variables = {
            "RECTO_GATEWAY_INDEXES": plain.replace("//", "//reader@"),
            "PATH": f"{path}:{os.defpath}",
        }
    answers: list[str] = []
    with gateway(below, **variables) as running:
        with client(running.address) as asking:
            (file,) = asking.get("/simple/alpha/").json()["files"]
            for url in (
                "/simple/",
                "/simple/alpha/",
                f"/simple/alpha/{file['url']}",
                "/why/alpha/",
                "/health",
                "/simple/nobody/",
            ):
                answer = asking.get(url)
                answers += [answer.text, str(answer.headers)]
            index.broken.add("beta")
            answers.append(asking.get("/simple/beta/").text)
            index.password = "another"
            refused = asking.get("/simple/gamma/")
        ours = Path(f"/proc/{running.process.pid}/cmdline").read_text()
        code, said = running.end()

    assert refused.status_code == 502
    assert code == 130
    everything = "".join([*answers, refused.text, ours, running.said, said, below("audit", "export").out])
    assert SECRET not in everything
    assert "alpha" in everything
    files = [path for path in data.rglob("*") if path.is_file()]
    assert any(path.suffix == ".page" for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.makes("gateway-credentials-missing")
@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (None, "there is no command `keyring`"),
        ("exit 1", "`keyring` has none"),
        ("echo", "`keyring` has none"),
    ],
)
def test_a_password_that_is_nowhere(
    below: Recto, index: LoopbackIndex, tmp_path: Path, program: str | None, reason: str
) -> None:
    url = f"http://127.0.0.1:{index.port}/simple/"
    path = keyring(tmp_path / "bin", program) if program else tmp_path

    done = below(
        "gateway", "--port", 0, RECTO_GATEWAY_INDEXES=url.replace("//", "//reader@"), PATH=f"{path}:{os.defpath}"
    )

    assert done.code == 1
    assert KINDS["gateway-credentials-missing"].hint.format(url=url, user="reader") in done.err
    assert f"no password of `reader` for the index `{url}`: {reason}" in done.err


@pytest.mark.network
def test_uv_and_pip_install_from_the_real_index_through_it(bare: Recto, uv: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "pip"], check=True)
    installers = (
        uv_installer(uv, bare.variables),
        pip_installer(tmp_path / "pip" / "bin" / "python", bare.variables),
    )
    with gateway(bare) as running:
        for number, installer in enumerate(installers):
            target = tmp_path / str(number)
            assert installer(f"{running.address}/simple/", target, "humanize==4.9.0")[0] == ["humanize-4.9.0"]
            assert (
                installer(f"{running.address}/simple/", target / "2", "humanize==4.9.0", "--no-binary", ":all:")[0]
                == []
            )

    told = [json.loads(line) for line in bare("audit", "export", "--package", "humanize").out.splitlines()]
    assert {entry["file"] for entry in told if entry["verdict"] == "served"} >= {"humanize-4.9.0-py3-none-any.whl"}
