"""The door itself: real sockets, real places behind it, and clients that misbehave."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
from doors import SECONDS_MAX, Place, answer, connected, hello, listening, named, read_all, status

from loopback_index import LoopbackIndex, serving
from recto.problems import SandboxError
from recto.sandbox.door.access import Access
from recto.sandbox.door.counts import NAMES_MAX, OTHERS, Counts
from recto.sandbox.door.destinations import Destination, of_url
from recto.sandbox.door.limits import DoorLimits
from recto.sandbox.door.proxy import Door


@pytest.fixture
def place() -> Iterator[Place]:
    """Something to tunnel to."""
    with listening(Place()) as one:
        yield one


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """An index without TLS, with one package."""
    with serving(LoopbackIndex()) as one:
        one.add("small", "1.0")
        yield one


def own(index: LoopbackIndex) -> Destination:
    destination = of_url(index.url)
    assert destination is not None
    return destination


def tunnel(place: Place) -> bytes:
    return b"CONNECT %s HTTP/1.1\r\n\r\n" % place.destination().authority.encode()


def body(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[2]


def test_the_socket_is_for_everybody_in_a_directory_for_its_owner(tmp_path: Path) -> None:
    with Door(Access(), scratch=tmp_path) as door:
        path = door.socket

        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert door.socket == path
    assert list(tmp_path.iterdir()) == []


def test_a_door_that_nobody_uses_is_never_opened(tmp_path: Path) -> None:
    before = threading.active_count()

    with Door(Access(), scratch=tmp_path):
        assert threading.active_count() == before
        assert list(tmp_path.iterdir()) == []


def test_a_path_that_no_socket_can_have_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()

    with Door(Access(), scratch=deep) as door, pytest.raises(SandboxError, match="at most 100 bytes"):
        _ = door.socket
    assert list(deep.iterdir()) == []


def test_a_tunnel_carries_bytes_both_ways_and_each_end_ends_by_itself(place: Place, tmp_path: Path) -> None:
    place.greeting = b"welcome"
    with Door(named(place.destination()), scratch=tmp_path) as door, connected(door) as client:
        client.sendall(tunnel(place))
        client.sendall(b"one ")
        client.sendall(b"two")
        # The place answers only once it has heard the end, which closes one direction and not the other.
        client.shutdown(socket.SHUT_WR)

        assert body(read_all(client)) == b"welcomeheard one two"
        assert door.counts == Counts(allowed={place.destination().authority: 1})


def test_what_follows_the_head_at_once_goes_through_the_tunnel(place: Place, tmp_path: Path) -> None:
    with Door(named(place.destination()), scratch=tmp_path) as door:
        assert body(answer(door, tunnel(place) + b"early")) == b"heard early"


def test_a_large_transfer_arrives_whole(place: Place, tmp_path: Path) -> None:
    place.greeting = os.urandom(20_000_000)
    with Door(named(place.destination()), scratch=tmp_path) as door:
        assert body(answer(door, tunnel(place))) == place.greeting + b"heard "


def test_a_host_that_is_not_the_indexs_is_refused_and_counted(place: Place, tmp_path: Path) -> None:
    with Door(named(Destination("index.example", 443, True)), scratch=tmp_path) as door:
        response = answer(door, tunnel(place))

        assert status(response) == 403
        assert b"is not a host of the package index" in response
        assert door.counts.refused == {place.destination().authority: 1}
    assert place.calls == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_nothing_that_leads_to_this_machine_passes_unless_it_is_the_operators(
    place: Place, tmp_path: Path, host: str
) -> None:
    # Even where a page of the index names it.
    learned = frozenset({Destination(host.strip("[]"), place.port, True), Destination("localhost", place.port, True)})
    with Door(Access(frozenset({Destination("index.example", 443, True)}), learned), scratch=tmp_path) as door:
        assert status(answer(door, b"CONNECT %s:%d HTTP/1.1\r\n\r\n" % (host.encode(), place.port))) == 403
        assert sum(door.counts.refused.values()) == 1
    assert place.calls == 0


def test_a_host_that_a_page_names_may_be_where_the_index_itself_is(place: Place, tmp_path: Path) -> None:
    access = Access(frozenset({place.destination()}), frozenset({place.destination(host="localhost")}))
    with Door(access, scratch=tmp_path) as door:
        said = hello("localhost")
        assert body(answer(door, b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % place.port + said)) == b"heard " + said


def test_another_port_of_the_indexs_machine_is_not_the_index(place: Place, tmp_path: Path) -> None:
    index = Destination("127.0.0.1", 1 if place.port != 1 else 2, True)
    access = Access(frozenset({index}), frozenset({place.destination(host="localhost")}))
    with Door(access, scratch=tmp_path) as door:
        assert status(answer(door, b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % place.port)) == 403
    assert place.calls == 0


def test_an_index_with_tls_is_not_spoken_to_without(place: Place, tmp_path: Path) -> None:
    with Door(named(place.destination()), scratch=tmp_path) as door:
        request = b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n\r\n" % place.port
        assert status(answer(door, request)) == 403
    assert place.calls == 0


def test_an_index_without_tls_is_read_and_not_tunnelled_to(index: LoopbackIndex, tmp_path: Path) -> None:
    with Door(named(own(index)), scratch=tmp_path) as door:
        page = answer(door, f"GET {index.url}small/ HTTP/1.1\r\n\r\n".encode())
        through = answer(door, f"CONNECT 127.0.0.1:{index.port} HTTP/1.1\r\n\r\n".encode())

        assert (status(page), status(through)) == (200, 403)
        assert b"small-1.0-py3-none-any.whl" in body(page)
    assert index.asked == ["/simple/small/"]


def test_a_second_request_behind_the_first_never_reaches_the_index(index: LoopbackIndex, tmp_path: Path) -> None:
    first = f"GET {index.url}small/ HTTP/1.1\r\n\r\n".encode()
    with Door(named(own(index)), scratch=tmp_path) as door:
        response = answer(door, first + b"POST /upload HTTP/1.1\r\nHost: other\r\n\r\n" + first)

        assert response.count(b"HTTP/1.") == 1
        assert door.counts.allowed == {f"127.0.0.1:{index.port}": 1}
    assert index.asked == ["/simple/small/"]


def test_the_index_is_told_its_own_name_and_nothing_of_the_connection(tmp_path: Path) -> None:
    place = Place(greeting=b"HTTP/1.0 200 OK\r\n\r\n")
    with listening(place), Door(named(place.destination(tls=False)), scratch=tmp_path) as door:
        url = f"http://127.0.0.1:{place.port}/a?b"
        with connected(door) as client:
            client.sendall(f"HEAD {url} HTTP/1.0\r\nProxy-Authorization: x\r\nAccept: y\r\n\r\n".encode())
            seen = client.recv(1000)
        assert status(seen) == 200
    authority = place.destination().authority.encode()
    assert place.heard == [b"HEAD /a?b HTTP/1.1\r\nhost: " + authority + b"\r\naccept: y\r\nconnection: close\r\n\r\n"]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00",
        b"\r\n\r\n",
        b" GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\n\n",
        b"SSH-2.0-client\r\n\r\n",
        b"CONNECT",
        b"CONNECT a:1 HTTP/1.1\r\nA: b\r",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\nHost: b\r\n\r\n",
        b"\xff" * 100,
    ],
)
def test_rubbish_is_told_so(rubbish: bytes, tmp_path: Path) -> None:
    with Door(Access(), scratch=tmp_path) as door:
        assert status(answer(door, rubbish)) == 400
        assert door.counts == Counts(malformed=1)


@pytest.mark.parametrize("rubbish", [b"\x16\x03\x01", b"GET / HTTP/1.1\n", b"CONNECT a:1 HTTP/1.1\rX"])
def test_rubbish_is_told_before_it_ends(rubbish: bytes, tmp_path: Path) -> None:
    with Door(Access(), scratch=tmp_path) as door, connected(door) as client:
        client.sendall(rubbish)

        assert status(client.recv(1000)) == 400


def test_a_head_without_an_end_is_cut_at_its_limit(tmp_path: Path) -> None:
    with Door(Access(), limits=DoorLimits(head_bytes=1000), scratch=tmp_path) as door:
        assert status(answer(door, b"CONNECT a:1 HTTP/1.1\r\nA: " + b"b" * 2000)) == 431


def test_a_client_that_says_nothing_counts_as_nothing(tmp_path: Path) -> None:
    with Door(Access(), scratch=tmp_path) as door:
        assert answer(door, b"") == b""
        assert door.counts == Counts()


@pytest.mark.parametrize("said", [b"", b"CONNECT files.exa"])
def test_a_head_that_does_not_come_in_time_is_not_waited_for(said: bytes, tmp_path: Path) -> None:
    with Door(Access(), limits=DoorLimits(head_seconds=0.05), scratch=tmp_path) as door, connected(door) as client:
        client.sendall(said)

        assert status(read_all(client)) == 408
        assert door.counts == Counts(late=1)


def test_a_drop_at_a_time_wins_no_time(tmp_path: Path) -> None:
    limits = DoorLimits(head_seconds=0.3)
    with Door(Access(), limits=limits, scratch=tmp_path) as door, connected(door) as client:
        client.settimeout(0.01)
        response = b""
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(b"CONNECT ")
            while not response:
                client.sendall(b"a")
                with suppress(TimeoutError):
                    response = client.recv(1000)
        assert door.counts == Counts(late=1)


@pytest.mark.parametrize(
    "limits", [DoorLimits(first_byte_seconds=0.05), DoorLimits(first_byte_seconds=0.05, idle_seconds=SECONDS_MAX)]
)
def test_a_silent_index_is_given_up(place: Place, tmp_path: Path, limits: DoorLimits) -> None:
    with Door(named(place.destination()), limits=limits, scratch=tmp_path) as door, connected(door) as client:
        client.sendall(tunnel(place))
        assert status(client.recv(1000)) == 200
        # Whoever keeps talking to it wins no time.
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(b"are you there?")

        assert read_all(client) == b""
    assert place.closed.wait(SECONDS_MAX)


def test_a_tunnel_in_which_nothing_moves_is_closed(place: Place, tmp_path: Path) -> None:
    place.greeting = b"welcome"
    limits = DoorLimits(idle_seconds=0.05)
    with Door(named(place.destination()), limits=limits, scratch=tmp_path) as door, connected(door) as client:
        client.sendall(tunnel(place))

        assert body(read_all(client)) == b"welcome"
    assert place.closed.wait(SECONDS_MAX)


def test_two_hundred_connections_at_once_are_all_served(place: Place, tmp_path: Path) -> None:
    count = 200
    all_there = threading.Barrier(count)
    with Door(named(place.destination()), scratch=tmp_path) as door:
        door.socket  # noqa: B018

        def one(number: int) -> bytes:
            with connected(door) as client:
                client.sendall(tunnel(place))
                established = client.recv(1000)
                all_there.wait(SECONDS_MAX)
                client.sendall(b"%d" % number)
                client.shutdown(socket.SHUT_WR)
                return body(established) + read_all(client)

        with ThreadPoolExecutor(count) as pool:
            assert list(pool.map(one, range(count))) == [b"heard %d" % number for number in range(count)]
        assert door.counts.allowed == {place.destination().authority: count}
        assert door.counts.crowded == 0


def test_more_connections_than_are_allowed_are_turned_away(place: Place, tmp_path: Path) -> None:
    limits = DoorLimits(connections=2)
    with ExitStack() as stack:
        door = stack.enter_context(Door(named(place.destination()), limits=limits, scratch=tmp_path))
        with connected(door) as first, connected(door) as second:
            for client in (first, second):
                client.sendall(tunnel(place))
                assert status(client.recv(1000)) == 200
            with connected(door) as third:
                assert status(read_all(third)) == 503
            assert door.counts.crowded == 1
            for client in (first, second):
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == b"heard "


def test_a_host_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    closed = Destination("127.0.0.1", port, True)
    unknown = Destination("nowhere.invalid", 443, True)
    with Door(named(closed, unknown), scratch=tmp_path) as door:
        for one in (closed, unknown):
            assert status(answer(door, b"CONNECT %s HTTP/1.1\r\n\r\n" % one.authority.encode())) == 502
        assert door.counts.failed == {closed.authority: 1, unknown.authority: 1}


def test_as_many_names_as_a_build_makes_up_are_counted_together(tmp_path: Path) -> None:
    more = 10
    with Door(Access(), scratch=tmp_path) as door:
        for number in range(NAMES_MAX + more):
            answer(door, b"CONNECT host-%d.example:443 HTTP/1.1\r\n\r\n" % number)

        assert len(door.counts.refused) == NAMES_MAX + 1
        assert door.counts.refused[OTHERS] == more


def test_closing_ends_what_is_under_way_and_leaves_nothing(place: Place, tmp_path: Path) -> None:
    before = (threading.active_count(), psutil.Process().num_fds())
    door = Door(named(place.destination()), scratch=tmp_path)
    with connected(door) as tunnelled, connected(door) as silent:
        tunnelled.sendall(tunnel(place))
        assert status(tunnelled.recv(1000)) == 200

        door.close()

        assert tunnelled.recv(1000) == b""
        assert silent.recv(1000) == b""
    door.close()
    assert place.closed.wait(SECONDS_MAX)
    assert list(tmp_path.iterdir()) == []
    # The place's own thread for its caller may still be ending.
    assert threading.active_count() <= before[0] + 1
    assert psutil.Process().num_fds() <= before[1] + 1


def test_a_door_can_be_opened_again(place: Place, tmp_path: Path) -> None:
    with Door(named(place.destination()), scratch=tmp_path) as door:
        answer(door, tunnel(place))
        door.close()

        assert status(answer(door, tunnel(place))) == 200
        assert door.counts.allowed == {place.destination().authority: 2}


def test_a_client_that_is_killed_takes_its_tunnel_with_it(place: Place, tmp_path: Path) -> None:
    code = """
import socket, sys, time
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(sys.argv[2].encode())
print(client.recv(99)[:12].decode(), flush=True)
time.sleep(99)
"""
    with Door(named(place.destination()), scratch=tmp_path) as door:
        words = [sys.executable, "-I", "-S", "-c", code, str(door.socket), tunnel(place).decode()]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"HTTP/1.1 200\n"
            client.kill()
        assert place.closed.wait(SECONDS_MAX)


def test_a_killed_process_takes_its_door_with_it(place: Place, tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from recto.sandbox.door.access import Access
from recto.sandbox.door.destinations import Destination
from recto.sandbox.door.proxy import Door
door = Door(Access(frozenset([Destination("127.0.0.1", {place.port}, True)])), scratch=Path(sys.argv[1]))
print(door.socket, flush=True)
time.sleep(99)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        path = owner.stdout.readline().strip()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SECONDS_MAX)
            client.connect(path)
            client.sendall(tunnel(place))
            assert status(client.recv(1000)) == 200
            owner.kill()
            assert client.recv(1000) == b""
    assert place.closed.wait(SECONDS_MAX)
