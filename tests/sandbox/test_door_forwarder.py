"""The forwarder as a program: it hands connections on, and is otherwise as if it were not there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from doors import PYTHON, SECONDS_MAX, Place, forwarder, listening, named, status

from recto.sandbox.door.access import Access
from recto.sandbox.door.proxy import Door

CALL = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
    client.sendall(sys.argv[2].encode())
    client.shutdown(socket.SHUT_WR)
    while part := client.recv(65536):
        sys.stdout.buffer.write(part)
"""


@pytest.fixture
def port() -> int:
    """A port that is free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
    return number


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with Door(Access(), scratch=tmp_path) as one:
        yield one


def run(words: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(words, capture_output=True, check=False, timeout=SECONDS_MAX, **more)  # type: ignore[call-overload, no-any-return]


def call(port: int, request: str) -> list[object]:
    return [PYTHON, "-I", "-S", "-c", CALL, port, request]


def test_a_connection_reaches_the_door_and_its_answer_comes_back(door: Door, port: int) -> None:
    done = run(forwarder(door.socket, *call(port, "CONNECT evil.example:443 HTTP/1.1\r\n\r\n"), port=port))

    assert (done.returncode, done.stderr) == (0, b"")
    assert status(done.stdout) == 403
    assert door.counts.refused == {"evil.example:443": 1}


def test_a_large_transfer_arrives_whole(tmp_path: Path, port: int) -> None:
    place = Place(greeting=os.urandom(8_000_000))
    with listening(place), Door(named(place.destination()), scratch=tmp_path) as door:
        request = f"CONNECT {place.destination().authority} HTTP/1.1\r\n\r\n" + "x" * 100_000
        done = run(forwarder(door.socket, *call(port, request), port=port))

    assert done.stdout.partition(b"\r\n\r\n")[2] == place.greeting + b"heard " + b"x" * 100_000


def test_many_connections_at_once_are_all_handed_on(tmp_path: Path, port: int) -> None:
    code = f"""
import socket
clients = [socket.create_connection(("127.0.0.1", {port})) for _ in range(200)]
for number, client in enumerate(clients):
    client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\\r\\n\\r\\n%d" % (PLACE, number))
    client.shutdown(socket.SHUT_WR)
for number, client in enumerate(clients):
    heard = b""
    while part := client.recv(65536):
        heard += part
    assert heard.endswith(b"heard %d" % number), heard
"""
    place = Place()
    with listening(place), Door(named(place.destination()), scratch=tmp_path) as door:
        done = run(forwarder(door.socket, PYTHON, "-I", "-S", "-c", code.replace("PLACE", str(place.port)), port=port))

    assert (done.returncode, done.stderr) == (0, b"")
    assert place.calls == 200


def test_a_door_that_is_gone_closes_the_connection(door: Door, port: int) -> None:
    path = door.socket
    door.close()

    done = run(forwarder(path, *call(port, "CONNECT a:1 HTTP/1.1\r\n\r\n"), port=port))

    assert done.stdout == b""


@pytest.mark.parametrize("code", [0, 1, 77, 255])
def test_it_ends_as_the_command_ended(door: Door, port: int, code: int) -> None:
    assert run(forwarder(door.socket, "sh", "-c", f"exit {code}", port=port)).returncode == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGUSR1, signal.SIGPIPE])
def test_it_ends_by_the_signal_that_ended_the_command(door: Door, port: int, number: int) -> None:
    assert run(forwarder(door.socket, "sh", "-c", f"kill -{int(number)} $$", port=port)).returncode == -number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_command_once(door: Door, port: int, number: int) -> None:
    code = f"""
import signal, sys
got = []
signal.signal({int(number)}, lambda *_: got.append(1))
print("ready", flush=True)
while not got:
    signal.sigtimedwait([], 0.02)
signal.sigtimedwait([], 0.1)
sys.exit(40 + len(got))
"""
    with subprocess.Popen(
        forwarder(door.socket, PYTHON, "-I", "-S", "-c", code, port=port),
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.killpg(process.pid, number)
        assert process.wait(SECONDS_MAX) == 41


def test_a_command_finds_its_descriptors_signals_and_streams_as_without_it(door: Door, port: int) -> None:
    code = """
import os, sys
fields = dict(line.split(":") for line in open("/proc/self/status"))
# Those above 31 are the C library's own.
signals = [int(fields[name], 16) & 0x7fff_ffff for name in ("SigBlk", "SigIgn")]
print(sys.stdin.read(), sorted(os.listdir("/proc/self/fd")), signals)
"""
    command = [str(PYTHON), "-I", "-S", "-c", code]
    with open(os.devnull, "rb") as given:  # noqa: PTH123
        bare = run(command, input=b"in", pass_fds=(given.fileno(),))
        behind = run(forwarder(door.socket, *command, port=port), input=b"in", pass_fds=(given.fileno(),))

    assert bare.stdout.startswith(b"in [")
    assert behind.stdout == bare.stdout


@pytest.mark.parametrize(("command", "code"), [("/nothing/here", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_be_run_ends_as_in_a_shell(door: Door, port: int, command: str, code: int) -> None:
    done = run(forwarder(door.socket, command, port=port))

    assert done.returncode == code
    assert f"`{command}` cannot be run".encode() in done.stderr


@pytest.mark.parametrize(
    "words", [[], ["80"], ["80", "/socket"], ["80", "/socket", "true"], ["x", "/socket", "--", "true"]]
)
def test_words_that_are_none_are_a_usage_error(words: list[str], door: Door) -> None:
    program = forwarder(door.socket, "true")[:4]

    assert run([*program, *words]).returncode == 2


def test_nothing_is_left_of_a_command_that_ends_with_connections_open(door: Door, port: int) -> None:
    code = f"import socket; kept = [socket.create_connection(('127.0.0.1', {port})) for _ in range(20)]"
    process = subprocess.Popen(forwarder(door.socket, PYTHON, "-I", "-S", "-c", code, port=port))

    assert process.wait(SECONDS_MAX) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_it_waits_without_work(door: Door, port: int) -> None:
    # The first client is half closed and left by its reader, the second is reset: what a busy loop is made of.
    code = f"""
import socket, struct, sys
first = socket.create_connection(("127.0.0.1", {port}))
first.sendall(b"CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n")
first.recv(10)
second = socket.create_connection(("127.0.0.1", {port}))
second.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
second.close()
print("ready", flush=True)
sys.stdin.read()
"""
    words = forwarder(door.socket, PYTHON, "-I", "-S", "-c", code, port=port)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"ready\n"
        before = psutil.Process(process.pid).num_ctx_switches()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        after = psutil.Process(process.pid).num_ctx_switches()
        process.stdin.close()
        assert process.wait(SECONDS_MAX) == 0
    assert after.voluntary - before.voluntary + after.involuntary - before.involuntary < 20


def test_it_loads_next_to_nothing(door: Door) -> None:
    code = """
import sys
before = set(sys.modules)
exec(compile(open(sys.argv[1]).read(), "forwarder", "exec"), {"__name__": "forwarder"})
print(*set(sys.modules) - before)
"""
    done = run([str(PYTHON), "-I", "-S", "-c", code, forwarder(door.socket)[3]])

    # `socket` and `signal` bring `enum`, `re` and `collections`, and take as long as the interpreter itself.
    interpreters_own = {"_abc", "_collections_abc", "_stat", "abc", "genericpath", "os", "os.path", "posixpath", "stat"}
    assert set(done.stdout.decode().split()) - interpreters_own <= {"_socket", "select"}
    assert done.returncode == 0
