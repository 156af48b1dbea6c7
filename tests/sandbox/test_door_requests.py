"""Requests to the door: what is one, where it leads, and what is refused before anything is connected to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recto.addresses import inward
from recto.sandbox.door.destinations import Destination, of_authority, of_url
from recto.sandbox.door.heads import RefusedError, parsed

TUNNEL = b"CONNECT files.example:443 HTTP/1.1"


def test_a_tunnel_is_to_a_host_and_a_port() -> None:
    head = parsed(TUNNEL + b"\r\nHost: files.example:443\r\nUser-Agent: one")

    assert (head.method, head.destination, head.fields) == ("CONNECT", Destination("files.example", 443, True), ())


def test_a_plain_request_goes_on_without_what_belongs_to_the_connection() -> None:
    head = parsed(
        b"GET http://Index.Example:8080/simple/six/?a=b HTTP/1.1\r\nHost: index.example:8080\r\nAccept: one\r\n"
        b"Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nProxy-Authorization: Basic cHc=\r\nContent-Length: 0\r\n"
        b"Range: bytes=0-9"
    )

    assert (head.method, head.destination) == ("GET", Destination("index.example", 8080, False))
    assert (head.path, head.fields) == ("/simple/six/?a=b", (b"accept: one", b"range: bytes=0-9"))


@pytest.mark.parametrize(
    "target",
    [
        "files.example",
        "files.example:",
        "files.example:0443",
        "files.example:65536",
        "files.example:0",
        "files.example:443@evil.example",
        "files.example:443@evil.example:443",
        "user@files.example:443",
        "user:password@files.example:443",
        "files.example:443/",
        "files.example:443#x",
        "files.example:443?x",
        "files.example:+443",
        "files.example:44_3",
        "https://files.example:443",
        "files.example%2eevil:443",
        "files.example\\@evil:443",
        "[::1%25lo]:443",
        "[::1:443",
        "[1.2.3.4]:443",
        "::1:443",
        ":443",
        ".files.example:443",
        "files.example;443",
    ],
)
def test_a_tunnel_to_anything_else_is_no_request(target: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parsed(f"CONNECT {target} HTTP/1.1".encode())

    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET http://user:pw@index.example/ HTTP/1.1", 400),
        (b"GET http://index.example@evil.example/ HTTP/1.1", 400),
        (b"GET http://index.example\\@evil.example/ HTTP/1.1", 400),
        (b"GET http:///simple HTTP/1.1", 400),
        (b"GET http://index.example/#part HTTP/1.1", 400),
        (b"GET https://index.example/ HTTP/1.1", 400),
        (b"GET ftp://index.example/ HTTP/1.1", 400),
        (b"GET file:///etc/passwd HTTP/1.1", 400),
        (b"GET /simple/ HTTP/1.1\r\nHost: index.example", 400),
        (b"GET * HTTP/1.1", 400),
        (b"GET  http://index.example/ HTTP/1.1", 400),
        (b"GET http://index.example/ HTTP/1.1 ", 400),
        (b"GET http://index.example/ HTTP/2.0", 400),
        (b"GET http://index.example/ x HTTP/1.1", 400),
        (b"G(T http://index.example/ HTTP/1.1", 400),
        (b"POST http://index.example/ HTTP/1.1", 405),
        (b"PUT http://index.example/ HTTP/1.1", 405),
        (b"OPTIONS http://index.example/ HTTP/1.1", 405),
        (b"get http://index.example/ HTTP/1.1", 405),
    ],
)
def test_what_is_no_reading_of_a_file_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        parsed(head)

    assert refused.value.status == status


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: index.example\r\nHost: index.example",
        b"Host: index.example\r\nhost: evil.example",
        b"Host: evil.example",
        b"Host: index.example:81",
        b"Host: user@index.example",
        b"Host:",
        b"Host : index.example",
        b"Accept: one\r\n two",
        b"no colon",
        b": nameless",
        b"Accept: a\x00b",
        b"Accept: a\rHost: evil",
        b"Transfer-Encoding: chunked",
        b"Content-Length: 5",
        b"Content-Length: 0\r\nContent-Length: 5",
    ],
)
def test_a_head_that_two_readers_may_read_differently_is_refused(fields: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        parsed(b"GET http://index.example/ HTTP/1.1\r\n" + fields)

    assert refused.value.status == 400


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(head: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        parsed(head)
    assert refused.value.status in (400, 405)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_around_an_authority_is_taken_for_it(before: str, after: str) -> None:
    found = of_authority(f"{before}files.example:443{after}", tls=True)

    assert found is None or found.authority == f"{before}files.example:443{after}".lower()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://Files.Example/simple/", Destination("files.example", 443, True)),
        ("http://127.0.0.1:3141/root/", Destination("127.0.0.1", 3141, False)),
        ("https://me:p%40w@files.example:8443/simple", Destination("files.example", 8443, True)),
        ("http://[::1]:80/simple", Destination("::1", 80, False)),
        ("file:///srv/wheels", None),
        ("https:///simple", None),
        ("https://files.example:port/", None),
        ("https://[half/", None),
    ],
)
def test_an_address_leads_to_its_host(url: str, found: Destination | None) -> None:
    assert of_url(url) == found


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "1.2.3.4.", "::1"])
def test_a_number_is_an_address_in_each_of_its_forms(host: str) -> None:
    assert Destination(host, 443, True).numeric


def test_a_name_is_no_address() -> None:
    assert not Destination("1.files.example", 443, True).numeric


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%2",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "not an address",
    ],
)
def test_an_address_of_the_machine_or_its_networks_is_inward(address: str) -> None:
    assert inward(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_world_is_not(address: str) -> None:
    assert not inward(address)
