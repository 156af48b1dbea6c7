"""A door behind the operator's own proxy: another door plays it, or a place that keeps what it hears."""

from __future__ import annotations

import base64
from contextlib import ExitStack
from pathlib import Path

import pytest
from doors import Place, answer, connected, hello, listening, named, status

from recto.problems import SandboxError
from recto.sandbox.door.access import Access
from recto.sandbox.door.destinations import Destination
from recto.sandbox.door.proxy import Door
from recto.sandbox.door.upstream import Upstream, Upstreams, upstreams

INDEX = Destination("index.example", 443, True)
PLAIN = Destination("index.example", 80, False)
PROXY = "http://me:p%40ss@proxy.example:3128"
AUTHORIZATION = "Basic " + base64.b64encode(b"me:p@ss").decode()


def test_the_environments_proxies_are_told_apart() -> None:
    found = upstreams({"HTTPS_PROXY": PROXY, "http_proxy": "other.example:8080"})

    assert found.towards(INDEX) == Upstream(Destination("proxy.example", 3128, False), AUTHORIZATION)
    assert found.towards(PLAIN) == Upstream(Destination("other.example", 8080, False), "")


def test_small_letters_go_first_and_all_is_for_what_is_left() -> None:
    found = upstreams(
        {"HTTPS_PROXY": PROXY, "https_proxy": "http://first.example:1", "ALL_PROXY": "http://rest.example:2"}
    )

    assert found.towards(INDEX) == Upstream(Destination("first.example", 1, False))
    assert found.towards(PLAIN) == Upstream(Destination("rest.example", 2, False))


@pytest.mark.parametrize(
    ("bypass", "direct"),
    [
        ("index.example", True),
        (".example", True),
        ("*.example", True),
        ("example", True),
        ("*", True),
        ("other, INDEX.example:443", True),
        ("index.example:80", False),
        ("dex.example", False),
        ("index.example.org", False),
        ("", False),
        (",", False),
    ],
)
def test_what_is_reached_without_a_proxy(bypass: str, direct: bool) -> None:
    assert (upstreams({"HTTPS_PROXY": PROXY, "NO_PROXY": bypass}).towards(INDEX) is None) is direct


def test_a_proxy_that_we_do_not_speak_to_is_refused() -> None:
    with pytest.raises(SandboxError, match="HTTPS_PROXY") as refused:
        upstreams({"HTTPS_PROXY": "socks5://me:secret@proxy.example:1080"})
    assert "secret" not in str(refused.value)


def through(place: Place, authorization: str = AUTHORIZATION) -> Upstreams:
    upstream = Upstream(place.destination(tls=False), authorization)
    return Upstreams(upstream, upstream)


def test_a_tunnel_goes_through_the_proxy_with_its_password(tmp_path: Path) -> None:
    proxy = Place(greeting=b"HTTP/1.1 200 OK\r\n\r\nwelcome")
    with listening(proxy), Door(named(INDEX), upstreams=through(proxy), scratch=tmp_path) as door:
        said = hello("index.example")
        response = answer(door, b"CONNECT index.example:443 HTTP/1.1\r\nProxy-Authorization: mine\r\n\r\n" + said)

    assert response.partition(b"\r\n\r\n")[2].startswith(b"welcomeheard ")
    (heard,) = proxy.heard
    head, _, rest = heard.partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "CONNECT index.example:443 HTTP/1.1",
        "Host: index.example:443",
        f"Proxy-Authorization: {AUTHORIZATION}",
    ]
    assert rest == said


def test_a_plain_request_is_left_to_the_proxy_with_its_password(tmp_path: Path) -> None:
    proxy = Place(greeting=b"HTTP/1.0 200 OK\r\n\r\n")
    with ExitStack() as stack:
        stack.enter_context(listening(proxy))
        door = stack.enter_context(Door(named(PLAIN), upstreams=through(proxy), scratch=tmp_path))
        client = stack.enter_context(connected(door))
        client.sendall(b"GET http://index.example/simple/ HTTP/1.1\r\nHost: index.example\r\n\r\n")
        assert status(client.recv(1000)) == 200

    (heard,) = proxy.heard
    assert heard.decode().split("\r\n") == [
        "GET http://index.example:80/simple/ HTTP/1.1",
        "host: index.example",
        f"proxy-authorization: {AUTHORIZATION}",
        "connection: close",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "greeting",
    [b"HTTP/1.1 407 Proxy Authentication Required\r\nX-Secret: s3cret\r\n\r\n", b"220 mail\r\n\r\n", b"\r\n\r\n"],
)
def test_a_proxy_that_refuses_is_told_without_its_words(greeting: bytes, tmp_path: Path) -> None:
    proxy = Place(greeting=greeting)
    with listening(proxy), Door(named(INDEX), upstreams=through(proxy), scratch=tmp_path) as door:
        response = answer(door, b"CONNECT index.example:443 HTTP/1.1\r\n\r\n")

        assert door.counts.failed == {"index.example:443": 1}
    assert status(response) == 502
    assert b"s3cret" not in response
    assert AUTHORIZATION.encode() not in response


def test_hosts_are_refused_before_the_proxy_hears_of_them(tmp_path: Path) -> None:
    proxy = Place()
    with listening(proxy), Door(named(INDEX), upstreams=through(proxy), scratch=tmp_path) as door:
        assert status(answer(door, b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n")) == 403
    assert proxy.calls == 0


def test_an_address_that_a_page_names_is_refused_where_the_proxy_would_look(tmp_path: Path) -> None:
    proxy = Place()
    learned = frozenset({Destination("10.0.0.1", 443, True), Destination("127.1", 443, True)})
    with listening(proxy), Door(Access(learned=learned), upstreams=through(proxy), scratch=tmp_path) as door:
        for one in learned:
            assert status(answer(door, b"CONNECT %s HTTP/1.1\r\n\r\n" % one.authority.encode())) == 403
    assert proxy.calls == 0
