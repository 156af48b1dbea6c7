"""Which hosts an index has: asked of a real one on the loopback, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import Place, listening
from hypothesis import given
from hypothesis import strategies as st

from loopback_index import LoopbackIndex, serving
from recto.problems import SandboxError
from recto.sandbox.door.access import Access
from recto.sandbox.door.destinations import Destination, of_url
from recto.sandbox.door.hosts import access
from recto.sandbox.door.pages import named_hosts

pytest_plugins = ("door_fixtures",)

JSON = "application/vnd.pypi.simple.v1+json"
PAGE = "https://index.example/simple/pip/"
OWN = Destination("index.example", 443, True)
FILES = Destination("files.example", 443, True)


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """An index whose files are elsewhere."""
    with serving(LoopbackIndex()) as one:
        one.projects["setuptools"] = [{"filename": "a.whl", "url": "https://files.example/a.whl"}]
        yield one


def own(index: LoopbackIndex) -> Destination:
    found = of_url(index.url)
    assert found is not None
    return found


def test_the_hosts_of_files_are_learned_from_the_first_page_that_is_there(index: LoopbackIndex, tmp_path: Path) -> None:
    found = access(index.url, tmp_path, {})

    assert found == Access(frozenset({own(index)}), frozenset({FILES}))
    assert index.asked == ["/simple/pip/", "/simple/setuptools/"]


def test_what_was_learned_is_not_asked_again_for_a_day(index: LoopbackIndex, tmp_path: Path) -> None:
    first = access(index.url, tmp_path, {}, projects=["setuptools"], clock=lambda: 0.0)

    assert access(index.url, tmp_path, {}, projects=["setuptools"], clock=lambda: 86_399.0) == first
    assert index.asked == ["/simple/setuptools/"]
    access(index.url, tmp_path, {}, projects=["setuptools"], clock=lambda: 86_400.0)
    assert len(index.asked) == 2


def test_what_was_learned_is_used_for_longer_while_the_index_does_not_answer(tmp_path: Path) -> None:
    with serving(LoopbackIndex()) as index:
        index.projects["pip"] = [{"filename": "a.whl", "url": "https://files.example/a.whl"}]
        before = access(index.url, tmp_path, {}, clock=lambda: 0.0)

    assert access(index.url, tmp_path, {}, clock=lambda: 1e9) == before


def test_an_index_that_does_not_tell_leads_to_itself_alone(index: LoopbackIndex, tmp_path: Path) -> None:
    found = access(index.url, tmp_path, {}, projects=["nothing"])

    assert found == Access(frozenset({own(index)}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 1, "asked": 1, "hosts": [["a b", 1, true]]}',
        '{"version": 2, "asked": 1, "hosts": []}',
    ],
)
def test_a_memory_that_is_damaged_is_none(index: LoopbackIndex, tmp_path: Path, text: str) -> None:
    before = access(index.url, tmp_path, {}, clock=lambda: 1.0)
    (memory,) = tmp_path.iterdir()
    memory.write_text(text)

    assert access(index.url, tmp_path, {}, clock=lambda: 1.0) == before
    assert json.loads(memory.read_text())["version"] == 1


def test_credentials_are_used_and_not_kept(tmp_path: Path) -> None:
    with serving(LoopbackIndex(password="s3/cret")) as index:
        index.projects["pip"] = [{"filename": "a.whl", "url": "https://files.example/a.whl"}]
        found = access(index.url, tmp_path, {})

    assert found.learned == {FILES}
    (memory,) = tmp_path.iterdir()
    assert "cret" not in memory.read_text() + memory.name


def test_the_index_is_asked_through_the_machines_proxy(tmp_path: Path) -> None:
    greeting = b'HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<a href="http://files.example/a.whl">a</a>'
    proxy = Place(greeting, until=b"\r\n\r\n")
    with listening(proxy):
        environment = {"http_proxy": f"http://me:pw@127.0.0.1:{proxy.port}"}
        found = access("http://user:secret@index.example/simple", tmp_path, environment, projects=["pip"])

    # The place answers with what it heard as well, which is no link.
    assert found.learned == {Destination("files.example", 80, False)}
    heard = proxy.heard[0].decode()
    assert heard.startswith("GET http://index.example/simple/pip/ HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6cHc=" in heard.split("\r\n")


def test_the_machines_proxy_hears_of_an_index_with_tls_its_name_alone(tmp_path: Path) -> None:
    proxy = Place(b"HTTP/1.0 403 Forbidden\r\n\r\n", until=b"\r\n\r\n")
    with listening(proxy):
        environment = {"ALL_PROXY": f"http://me:pw@127.0.0.1:{proxy.port}"}
        found = access("https://user:secret@index.example/simple", tmp_path, environment, projects=["pip"])

    assert found.learned == frozenset()
    first, *fields, _, _ = proxy.heard[0].decode().split("\r\n")
    assert first.startswith("CONNECT index.example:443 ")
    assert "Proxy-Authorization: Basic bWU6cHc=" in fields
    assert not any(field.startswith("Authorization") for field in fields)


def test_an_index_that_cannot_be_spoken_to_is_asked_once(tmp_path: Path) -> None:
    broken = Place(until=b"\r\n\r\n")
    with listening(broken):
        found = access(f"http://127.0.0.1:{broken.port}/simple", tmp_path, {})

    assert found == Access(frozenset({broken.destination(tls=False)}))
    assert broken.calls == 1


def test_what_cannot_be_kept_is_used_all_the_same(index: LoopbackIndex, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert access(index.url, tmp_path / "file", {}).learned == {FILES}


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "http://127.0.0.2:{port}/", "file:///etc/passwd"])
def test_an_index_that_sends_us_elsewhere_is_not_followed(tmp_path: Path, target: str) -> None:
    elsewhere = Place()
    with listening(elsewhere):
        location = target.format(port=elsewhere.port)
        redirecting = Place(
            greeting=f"HTTP/1.0 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        with listening(redirecting):
            url = f"http://localhost:{redirecting.port}/simple"
            assert access(url, tmp_path, {}, projects=["pip"]).learned == frozenset()
    assert elsewhere.calls == 0


def test_the_operators_further_hosts_are_named(tmp_path: Path, index: LoopbackIndex) -> None:
    further = ["more.example", "more.example:8443", "http://plain.example:81/x", "[fd00::1]:443"]
    found = access(index.url, tmp_path, {}, further=further, projects=[])

    assert found.named - {own(index)} == {
        Destination("more.example", 443, True),
        Destination("more.example", 8443, True),
        Destination("plain.example", 81, False),
        Destination("fd00::1", 443, True),
    }


@pytest.mark.parametrize("text", ["", "a b", "ftp://a.example", "a.example:0", "user@a.example"])
def test_a_further_host_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SandboxError, match="is not a host"):
        access("https://index.example/simple", tmp_path, {}, further=[text], projects=[])


def test_an_index_on_the_disk_needs_no_host(tmp_path: Path) -> None:
    found = access("file:///srv/simple", tmp_path, {})

    assert found == Access()


def test_certificates_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="SSL_CERT_FILE"):
        access("https://index.example/simple", tmp_path, {"SSL_CERT_FILE": str(tmp_path / "none.pem")})


@pytest.mark.network
def test_the_installed_clients_index_tells_its_hosts(
    tmp_path: Path, default_index_url: str, way: dict[str, str]
) -> None:
    found = access(default_index_url, tmp_path, way)

    assert len(found.named) == 1
    assert found.learned
    assert all(one.tls and one.port == 443 for one in found.learned)


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (b'{"files": [{"url": "https://files.example/a"}, {"url": "../../b"}]}', JSON, {FILES, OWN}),
        (b'{"files": [{"url": 1}, 2, {}], "url": "https://evil.example"}', JSON, set()),
        (b'{"files": 1}', "application/json; charset=utf-8", set()),
        (b"[", JSON, set()),
        (b"[" * 100_000, JSON, set()),
        (b'<a href="https://files.example/a#sha256=1">a</a><a href="/b">b</a><a>c</a>', "text/html", {FILES, OWN}),
        (b'<base href="https://files.example/x/"><a href="a.whl">a</a>', "text/html", {FILES}),
        (b'<img src="https://evil.example"><link href="https://evil.example">', "text/html", set()),
        (b'<a href="http://files.example/a">weaker</a>', "text/html", set()),
        (b'<a href="ftp://files.example/a"><a href="https://[half/a"><a href="mailto:a@b">', "text/html", set()),
        (b"\xff\xfe\x00<a href=", "text/html", set()),
    ],
)
def test_a_page_names_the_hosts_of_its_files(body: bytes, kind: str, found: set[Destination]) -> None:
    assert named_hosts(body, kind, PAGE) == found


def test_a_page_that_names_many_hosts_is_cut() -> None:
    body = "".join(f'<a href="https://host-{number}.example/a">a</a>' for number in range(100)).encode()

    assert len(named_hosts(body, "text/html", PAGE)) == 16


@given(st.binary(), st.sampled_from([JSON, "text/html", ""]))
def test_whatever_a_page_is_it_names_hosts_with_tls_or_none(body: bytes, kind: str) -> None:
    found = named_hosts(b'<a href="//' + body, kind, PAGE)

    assert all(one.tls for one in found)
