"""Pages through a gateway that serves, from indexes that do their part or do not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateways import Rules, client, options, running
from index_above import JSON, Above, above, send
from recto.index.rules.age import Age

HTML = "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def index() -> Iterator[Above]:
    with above() as one:
        one.add("alpha", "alpha-1.0-py3-none-any.whl", b"one")
        one.add("alpha", "alpha-2.0-py3-none-any.whl", b"two")
        one.pages["alpha"]["versions"] = ["1.0", "2.0"]
        yield one


@pytest.fixture
def gateway(index: Above, tmp_path: Path) -> Iterator[httpx2.Client]:
    with running(options(tmp_path, index.url)) as address, client(address) as asking:
        yield asking


def page(asking: httpx2.Client, name: str = "alpha", **headers: str) -> dict[str, Any]:
    answer = asking.get(f"/simple/{name}/", headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_what_an_index_says_passes_through_and_only_addresses_are_ours(index: Above, gateway: httpx2.Client) -> None:
    index.pages["alpha"] |= {
        "meta": {"api-version": "1.4", "tracks": ["https://elsewhere.example/simple/alpha/"], "_last-serial": 7},
        "project-status": {"status": "archived", "reason": "Use beta."},
        "alternate-locations": ["https://elsewhere.example/simple/alpha/"],
        "something-new": {"a": [1, 2.5, None]},
    }
    index.pages["alpha"]["files"][0] |= {
        "requires-python": ">=3.9",
        "yanked": "broken",
        "provenance": "https://elsewhere.example/alpha.provenance",
        "something-new": "kept",
    }
    before = json.loads(json.dumps(index.pages["alpha"]))

    told = page(gateway)

    assert [file.pop("url") for file in told["files"]] == [
        f"../../files/alpha/{file['hashes']['sha256']}/{file['filename']}" for file in before["files"]
    ]
    for file in before["files"]:
        del file["url"]
    assert told == before


def test_a_version_that_is_none_is_of_no_file(index: Above, gateway: httpx2.Client) -> None:
    index.pages["alpha"]["versions"] += ["9" * 5000, "not a version"]
    index.add("alpha", f"alpha-{'9' * 200}-py3-none-any.whl", b"long")

    assert len(page(gateway)["files"]) == 3


def test_a_name_with_signs_that_addresses_quote_leads_to_its_file(index: Above, gateway: httpx2.Client) -> None:
    name = "alpha-1!3.0+cu1-py3-none-any.whl"
    index.add("alpha", name, b"three")

    (url,) = (file["url"] for file in page(gateway)["files"] if file["filename"] == name)

    assert url.endswith("/alpha-1%213.0%2Bcu1-py3-none-any.whl")
    assert gateway.get(f"/simple/alpha/{url}").content == b"three"


def test_a_signature_that_is_not_served_is_not_promised(index: Above, gateway: httpx2.Client) -> None:
    index.pages["alpha"]["files"][0] |= {"gpg-sig": True, "core-metadata": True}

    (first, _) = page(gateway)["files"]

    assert "gpg-sig" not in first
    # Nor metadata of which nobody says what it must be.
    assert "core-metadata" not in first


@pytest.mark.parametrize("name", ["Alpha", "ALPHA", "alpha"])
@pytest.mark.parametrize("end", ["", "/"])
def test_any_spelling_of_a_name_is_answered_and_never_led_elsewhere(
    gateway: httpx2.Client, name: str, end: str
) -> None:
    assert gateway.get(f"/simple/{name}{end}").status_code == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (f"{JSON}, {HTML}; q=0.2, text/html; q=0.01", JSON),
        (f"{JSON}; q=0.1, {HTML}", HTML),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
    ],
)
def test_json_comes_first_and_html_to_whoever_wants_it(gateway: httpx2.Client, accept: str, kind: str) -> None:
    answer = gateway.get("/simple/alpha/", headers={"Accept": accept})

    assert answer.headers["Content-Type"].partition(";")[0] == kind
    assert "alpha-1.0-py3-none-any.whl" in answer.text


@pytest.mark.parametrize("accept", ["application/vnd.pypi.simple.v2+json", "image/png", f"{JSON};q=0"])
def test_a_form_that_there_is_not_is_refused(gateway: httpx2.Client, accept: str) -> None:
    assert gateway.get("/simple/alpha/", headers={"Accept": accept}).status_code == 406


def test_html_says_what_json_says(index: Above, gateway: httpx2.Client) -> None:
    index.pages["alpha"]["files"][0] |= {"requires-python": ">=3.9,<4", "yanked": 'a "reason" <b>'}

    text = gateway.get("/simple/alpha/", headers={"Accept": HTML}).text

    digest = index.pages["alpha"]["files"][0]["hashes"]["sha256"]
    assert f'href="../../files/alpha/{digest}/alpha-1.0-py3-none-any.whl#sha256={digest}"' in text
    assert 'data-requires-python="&gt;=3.9,&lt;4"' in text
    assert 'data-yanked="a &quot;reason&quot; &lt;b&gt;"' in text
    assert '<meta name="pypi:repository-version" content="1.4">' in text


def test_an_index_that_speaks_html_only_is_understood(index: Above, gateway: httpx2.Client) -> None:
    digest = index.pages["alpha"]["files"][0]["hashes"]["sha256"]
    text = f"""<html><body><a href="../../files/alpha-1.0-py3-none-any.whl#sha256={digest}"
        data-requires-python="&gt;=3.9">alpha-1.0-py3-none-any.whl</a></body></html>"""
    index.handle["/simple/alpha/"] = lambda request: send(request, 200, text.encode(), Content_Type="text/html")

    (file,) = page(gateway)["files"]

    assert file["hashes"] == {"sha256": digest}
    assert file["requires-python"] == ">=3.9"
    assert gateway.get(f"/simple/alpha/{file['url']}").content == b"one"


def test_a_page_that_one_has_is_not_sent_again(gateway: httpx2.Client) -> None:
    first = gateway.get("/simple/alpha/")

    again = gateway.get("/simple/alpha/", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.content == b""


def test_a_page_is_asked_for_once_while_it_is_current(index: Above, gateway: httpx2.Client) -> None:
    for _ in range(3):
        page(gateway)

    assert index.count("/simple/alpha/") == 1


def test_what_is_hidden_is_on_no_page_and_at_no_address(index: Above, tmp_path: Path) -> None:
    young = index.add("alpha", "alpha-3.0-py3-none-any.whl", b"young", upload_time=_now())
    timeless = index.add("alpha", "alpha-4.0-py3-none-any.whl", b"timeless", upload_time=None)
    index.pages["alpha"]["versions"] += ["3.0", "4.0"]
    rules = Rules((Age(timedelta(days=7)),), {"trusted": ()})
    with running(options(tmp_path, index.url), rules) as address, client(address) as asking:
        told = page(asking)
        assert told["versions"] == ["1.0", "2.0"]
        assert [file["filename"] for file in told["files"]] == [f"alpha-{n}.0-py3-none-any.whl" for n in (1, 2)]
        for digest, number in ((young, 3), (timeless, 4)):
            name = f"alpha-{number}.0-py3-none-any.whl"
            for path in (f"/files/alpha/{digest}/{name}", f"/files/Alpha/{digest}/{name}.metadata"):
                answer = asking.get(path)
                assert answer.status_code == 404
                assert answer.json()["hidden"] is True
        hidden = {one["filename"]: one for one in asking.get("/why/alpha/").json()["files"]}
        assert hidden["alpha-3.0-py3-none-any.whl"]["findings"] == [
            {"rule": "age", "reason": "younger than 7 days", "blocks": True}
        ]
        # Rules are those of whoever asks.
        assert len(asking.get("/tenants/trusted/simple/alpha/").json()["files"]) == 4
        assert asking.get(f"/tenants/trusted/files/alpha/{young}/alpha-3.0-py3-none-any.whl").content == b"young"
        # Also after it was fetched for somebody else.
        assert asking.get(f"/files/alpha/{young}/alpha-3.0-py3-none-any.whl").status_code == 404


def test_a_project_of_which_everything_is_hidden_is_not_there(index: Above, tmp_path: Path) -> None:
    with (
        running(options(tmp_path, index.url), Rules((Age(timedelta(days=36_500)),))) as address,
        client(address) as asking,
    ):
        assert asking.get("/simple/alpha/").status_code == 404


def test_a_file_without_a_sha256_is_hidden(index: Above, gateway: httpx2.Client) -> None:
    index.add("alpha", "alpha-5.0-py3-none-any.whl", b"five", hashes={"md5": "0" * 32})

    assert "alpha-5.0-py3-none-any.whl" not in str(page(gateway))
    (why,) = gateway.get("/why/alpha/").json()["files"]
    assert why["findings"][0]["rule"] == "hash"


WRONG = {
    "error": lambda request: send(request, 500, b"{}", Content_Type=JSON),
    "refused": lambda request: send(request, 403, b"no", Content_Type="text/plain"),
    "no JSON": lambda request: send(request, 200, b"{", Content_Type=JSON),
    "no mapping": lambda request: send(request, 200, b"[]", Content_Type=JSON),
    "deep": lambda request: send(request, 200, b"[" * 100_000, Content_Type=JSON),
    "no version": lambda request: send(request, 200, b'{"name": "alpha", "files": []}', Content_Type=JSON),
    "version 2": lambda request: send(
        request, 200, b'{"meta": {"api-version": "2.0"}, "name": "alpha", "files": []}', Content_Type=JSON
    ),
    "other project": lambda request: send(
        request, 200, b'{"meta": {"api-version": "1.0"}, "name": "beta", "files": []}', Content_Type=JSON
    ),
    "no files": lambda request: send(
        request, 200, b'{"meta": {"api-version": "1.0"}, "name": "alpha"}', Content_Type=JSON
    ),
    "a picture": lambda request: send(request, 200, b"GIF89a", Content_Type="image/gif"),
    "round and round": lambda request: send(request, 302, b"", Location="/simple/alpha/"),
    "out of HTTP": lambda request: send(request, 302, b"", Location="ftp://127.0.0.1/alpha/"),
    "bad packing": lambda request: send(request, 200, b"no gzip", Content_Type=JSON, Content_Encoding="gzip"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_page_is_an_error_and_is_not_kept(index: Above, gateway: httpx2.Client, wrong: str) -> None:
    index.handle["/simple/alpha/"] = WRONG[wrong]

    answer = gateway.get("/simple/alpha/")

    assert answer.status_code == 502
    assert answer.json()["detail"]
    assert index.url not in answer.text
    del index.handle["/simple/alpha/"]
    assert len(page(gateway)["files"]) == 2


def test_a_page_without_end_is_read_to_its_limit_only(
    index: Above, gateway: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recto.index.upstream.PAGE_BYTES_MAX", 1_000_000)
    sent = []

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", JSON)
        request.end_headers()
        while not index.over.is_set():
            sent.append(request.wfile.write(b" " * 100_000))

    index.handle["/simple/alpha/"] = endless

    assert gateway.get("/simple/alpha/").status_code == 502
    assert sum(sent) < 100_000_000


def test_an_index_that_is_silent_is_given_up(index: Above, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recto.index.upstream._PAGE_SECONDS_MAX", 0.2)

    def silent(request: BaseHTTPRequestHandler) -> None:
        index.over.wait()

    index.handle["/simple/alpha/"] = silent
    with running(options(tmp_path, index.url)) as address, client(address) as asking:
        assert asking.get("/simple/alpha/").status_code == 504
        index.over.set()


def test_names_that_are_none_are_not_passed_on(index: Above, gateway: httpx2.Client) -> None:
    for name in ("%2e%2e%2f", "-", "a" * 300, "%2e%2e", "a%2fb", "a%00b", "a b", "ä", "..%2f..%2fetc", "a;b", "~"):
        assert gateway.get(f"/simple/{name}/").status_code == 404, name
        assert gateway.get(f"/files/{name}/{'0' * 64}/a.whl").status_code == 404, name

    assert index.asked == []


def test_a_name_that_is_not_there_is_asked_for_once_a_minute(index: Above, gateway: httpx2.Client) -> None:
    for _ in range(5):
        assert gateway.get("/simple/nobody/").status_code == 404

    assert index.count("/simple/nobody/") == 1


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
