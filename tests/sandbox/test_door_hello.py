"""What a TLS client says first: real first words, and such as ask for another site at the same address."""

from __future__ import annotations

from pathlib import Path

import pytest
from doors import Place, answer, connected, hello, listening, read_all, status
from hypothesis import given
from hypothesis import strategies as st

from recto.sandbox.door.access import Access
from recto.sandbox.door.destinations import Destination
from recto.sandbox.door.heads import RefusedError
from recto.sandbox.door.hello import check_name, record_bytes
from recto.sandbox.door.limits import DoorLimits
from recto.sandbox.door.proxy import Door

HOST = "files.example"


def with_extension(kind: int, data: bytes, record: bytes) -> bytes:
    """The same first words with one more extension at their end."""
    extension = kind.to_bytes(2) + len(data).to_bytes(2) + data
    body = bytearray(record[9:] + extension)
    at = 34
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at : at + 2])
    at += 1 + body[at]
    body[at : at + 2] = (len(body) - at - 2).to_bytes(2)
    handshake = b"\x01" + len(body).to_bytes(3) + bytes(body)
    return record[:3] + len(handshake).to_bytes(2) + handshake


def server_name(name: bytes) -> bytes:
    entry = b"\x00" + len(name).to_bytes(2) + name
    return len(entry).to_bytes(2) + entry


def test_a_client_that_asks_for_the_host_of_its_tunnel_is_led_on() -> None:
    said = hello(HOST)

    assert record_bytes(said) == len(said)
    check_name(said, HOST)


@pytest.mark.parametrize(
    "said",
    [
        hello("evil.example"),
        hello("files.example.evil.example"),
        hello(None),
        with_extension(0, server_name(b"evil.example"), hello(HOST)),
        with_extension(0xFE0D, b"hidden", hello(HOST)),
        with_extension(0, server_name(b"evil.example"), hello(None)),
        hello(HOST)[:-1],
        hello(HOST)[:100],
        b"\x16\x03\x01\x00\x01\x01",
        b"\x16\x03\x01\x00\x01\x02",
    ],
    ids=["other", "longer", "none", "two", "encrypted", "other-added", "cut", "cut-early", "empty", "not-hello"],
)
def test_a_client_that_asks_for_anything_else_is_not(said: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        check_name(said, HOST)
    assert refused.value.status == 403


def test_the_added_extension_is_read_as_one() -> None:
    check_name(with_extension(0, server_name(HOST.upper().encode()), hello(None)), HOST)


@pytest.mark.parametrize(
    "head", [b"GET /", b"SSH-2", b"\x15\x03\x01\x00\x02", b"\x16\x03\x01\x00\x00", b"\x16\x03\x01\xff\xff"]
)
def test_what_is_not_tls_is_refused_at_its_first_bytes(head: bytes) -> None:
    with pytest.raises(RefusedError):
        record_bytes(head)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_ask_for_the_host(said: bytes) -> None:
    with pytest.raises(RefusedError):
        check_name(said, HOST)


def local(place: Place) -> Access:
    """Access to the place by its name, for the operator's word."""
    return Access(frozenset({Destination("localhost", place.port, True)}))


def request(place: Place) -> bytes:
    return b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % place.port


def test_first_words_reach_the_index_whole_in_however_many_pieces(tmp_path: Path) -> None:
    said = hello("localhost")
    place = Place()
    with listening(place), Door(local(place), scratch=tmp_path) as door, connected(door) as client:
        client.sendall(request(place))
        assert status(client.recv(1000)) == 200
        for byte in said:
            client.sendall(bytes([byte]))
        client.sendall(b"more")
        client.shutdown(1)

        assert read_all(client) == b"heard " + said + b"more"
        assert door.counts.allowed == {f"localhost:{place.port}": 1}


@pytest.mark.parametrize(
    "said",
    [hello("evil.example"), b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"\x16\x03", b""],
    ids=["other", "plain", "cut", "nothing"],
)
def test_of_a_tunnel_that_asks_for_another_site_the_index_hears_nothing(said: bytes, tmp_path: Path) -> None:
    place = Place(greeting=b"welcome")
    with listening(place), Door(local(place), scratch=tmp_path) as door:
        assert answer(door, request(place) + said).partition(b"\r\n\r\n")[2] == b""
        assert (door.counts.allowed, door.counts.refused) == ({}, {f"localhost:{place.port}": 1})
    assert place.heard in ([], [b""])


def test_first_words_are_not_waited_for_longer_than_a_head(tmp_path: Path) -> None:
    place = Place()
    limits = DoorLimits(head_seconds=0.1)
    with listening(place), Door(local(place), limits=limits, scratch=tmp_path) as door, connected(door) as client:
        client.sendall(request(place) + b"\x16")

        assert read_all(client).endswith(b"established\r\n\r\n")
        assert door.counts.refused == {f"localhost:{place.port}": 1}
