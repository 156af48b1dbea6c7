"""The gateway that serves, asked anything by anybody, below an index that says anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from gateways import Rules, client, options, running
from index_above import JSON, Above, above, send
from osv_records import advisories, record
from recto.index.html import project_html
from recto.index.page import HTML, PLAIN_HTML, PageError, read_page, shown
from recto.index.rules.deny import Deny

SEEN, HIDDEN = b"what everybody may have", b"what the rules hide from everybody"
FILES = {"alpha-1.0-py3-none-any.whl": SEEN, "alpha-2.0-py3-none-any.whl": HIDDEN}
DIGESTS = {name: hashlib.sha256(body).hexdigest() for name, body in FILES.items()}

# One gateway answers all examples, as it does outside.
FUZZ = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def index() -> Iterator[Above]:
    with above() as one:
        for name, body in FILES.items():
            one.add("alpha", name, body, upload_time="2026-01-01T00:00:00Z", core_metadata={"sha256": DIGESTS[name]})
            one.files[f"/files/{name}.metadata"] = body
        yield one


@pytest.fixture(scope="module")
def asking(index: Above, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    known = advisories(record("MAL-2026-1", "widget", versions=["1.0"]), record("PYSEC-2026-1", events=[]))
    rules = Rules((Deny({"alpha": (">=2",)}),), {"open": ()}, advisories=known)
    made_of = options(tmp_path_factory.mktemp("gateway"), index.url, page_seconds=0)
    with running(made_of, rules) as address, client(address) as one:
        yield one


WORDS = st.one_of(
    st.sampled_from(
        [
            *("simple", "files", "why", "tenants", "open", "health", "v1", "query", "querybatch", "vulns"),
            *(
                "alpha",
                "Alpha",
                "ALPHA_",
                "..",
                ".",
                "",
                "%2e%2e",
                "%2f",
                "%00",
                "%ff",
                "a" * 300,
                "-",
                "files%2falpha",
            ),
            *DIGESTS.values(),
            *(digest.upper() for digest in DIGESTS.values()),
            *FILES,
            *(f"{name}.metadata" for name in FILES),
            *(f"{name}.metadata.metadata" for name in FILES),
        ]
    ),
    st.binary(max_size=12).map(lambda data: "".join(f"%{byte:02x}" for byte in data)),
)
PATHS = st.one_of(
    st.lists(WORDS, max_size=7).map(lambda words: "/" + "/".join(words)),
    st.tuples(
        st.sampled_from(["", "/tenants/else", "/tenants/%2e%2e", "/tenants/open"]),
        st.sampled_from(["alpha", "Alpha", "a%6cpha", "alpha%2f", "beta"]),
        st.sampled_from([*DIGESTS.values(), *(digest.upper() for digest in DIGESTS.values())]),
        st.sampled_from([*FILES, *(f"{name}.metadata" for name in FILES), "alpha-1.0-py3-none-any.whl%2f..", "."]),
    ).map(lambda parts: f"{parts[0]}/files/{parts[1]}/{parts[2]}/{parts[3]}"),
)
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(str.strip),
    st.sampled_from([f"{JSON};q=nan", f"{HTML};q=1e999", "*/*;q=inf", ",;,=", f"{PLAIN_HTML}, {JSON};q=-1", "text/*"]),
    st.tuples(st.integers(), st.integers()).map(lambda ends: f"bytes={abs(ends[0])}-{abs(ends[1])}"),
    st.integers(0, 60).map(lambda start: f"bytes={start}-"),
    st.integers(0, 60).map(lambda length: f"bytes=-{length}"),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Accept", "Range", "If-None-Match", "If-Range", "Accept-Encoding", "X-Forwarded-For", "Cookie"]),
    VALUES,
    max_size=4,
)
METHODS = st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "X"])


@FUZZ
@given(METHODS, PATHS, HEADERS)
def test_no_question_breaks_it_nor_gets_what_is_hidden(
    asking: httpx2.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = asking.request(method, path, headers=headers)

    assert answer.status_code < 500
    assert not answer.is_redirect or answer.status_code == 304
    assert "Location" not in answer.headers
    if not path.startswith("/tenants/open/"):
        # A part of it is as much as the whole.
        assert not (answer.content and answer.status_code in (200, 206) and answer.content in HIDDEN)
        if answer.status_code == 200 and "/simple" in path:
            assert b"alpha-2.0" not in answer.content


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=12), inside, max_size=4),
    max_leaves=12,
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "package": st.one_of(
            JSON_VALUES,
            st.fixed_dictionaries(
                {},
                optional={
                    "name": st.sampled_from(["widget", "Widget", "", "x"]) | JSON_VALUES,
                    "ecosystem": st.sampled_from(["PyPI", "npm", ""]) | JSON_VALUES,
                    "purl": st.sampled_from(["pkg:pypi/widget@1.0", "pkg:pypi/", "pkg:", "%"]) | st.text(max_size=20),
                },
            ),
        ),
        "version": st.sampled_from(["1.0", "1" * 5000, "1!0", "x"]) | JSON_VALUES,
        "page_token": JSON_VALUES,
        "commit": JSON_VALUES,
        "queries": st.lists(JSON_VALUES, max_size=3),
    },
)
BODIES = st.one_of(
    st.binary(max_size=80),
    JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    QUERIES.map(lambda value: json.dumps(value).encode()),
    st.lists(QUERIES, max_size=4).map(lambda queries: json.dumps({"queries": queries}).encode()),
    st.sampled_from(
        [b"[" * 200_000, b'{"a":' * 50_000, b'"' + b"a" * 1_000_001 + b'"', b'{"version": 1e400}', b"1e400"]
    ),
)


@FUZZ
@given(st.sampled_from(["/v1/query", "/v1/querybatch"]), BODIES)
def test_no_question_about_advisories_breaks_it(asking: httpx2.Client, path: str, body: bytes) -> None:
    answer = asking.post(path, content=body)

    assert answer.status_code in (200, 400, 413)
    assert isinstance(answer.json(), dict)


PAGE_KEYS = st.sampled_from(
    [
        *("filename", "url", "hashes", "size", "upload-time", "yanked", "core-metadata", "dist-info-metadata"),
        *(
            "requires-python",
            "gpg-sig",
            "provenance",
            "name",
            "meta",
            "versions",
            "project-status",
            "alternate-locations",
        ),
        *("files", "other"),
    ]
)
# What readers of JSON take in different ways stands in the bytes, since no writer makes it.
RAW = [
    *(b"1e400", b"-0", b"1" * 400, b'"\\ud800"', b'"\xff"', b'"\\u0000"', b"NaN", b"[" * 3000 + b"]" * 3000, b'"\\x"'),
    *(b'{"sha256": 1}', b'{"sha256": "' + b"A" * 64 + b'"}', b'{"sha256": ""}', b"[null]", b'{"status": 1}'),
    *(b'{"api-version": "1.99"}', b'{"api-version": 1}', b'"http://a..b/x"', b'"http://[::1"', b'"//\\u0000/"'),
    *(b'"http://' + b"a" * 80 + b'/"', b'["' + b"1" * 5000 + b'"]', b'"0001-01-01T00:00:00+23:59"', b'"file:///etc"'),
]
ADDRESSES = st.sampled_from(["../../files/alpha-1.0-py3-none-any.whl", "/files/alpha-1.0-py3-none-any.whl"]) | st.text(
    max_size=20
)


@st.composite
def page_bytes(draw: st.DrawFn) -> bytes:
    """A page that somebody took for one, and what becomes of it on the way."""
    files: list[Any] = []
    for number in range(draw(st.integers(0, 3))):
        name = f"alpha-{number}.0-py3-none-any.whl"
        files.append({"filename": name, "url": draw(ADDRESSES), "hashes": {"sha256": DIGESTS[next(iter(FILES))]}})
    page: dict[str, Any] = {"meta": {"api-version": "1.4"}, "name": "alpha", "versions": ["0.0", "1.0"], "files": files}
    marks: list[str] = []
    for place in (page, *files):
        for key in draw(st.lists(PAGE_KEYS, max_size=2)):
            if draw(st.booleans()):
                marks.append(f"@{len(marks)}@")
                place[key] = marks[-1]
            else:
                place[key] = draw(JSON_VALUES)
    body = json.dumps(page).encode()
    for mark in marks:
        body = body.replace(f'"{mark}"'.encode(), draw(st.sampled_from(RAW)))
    for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=3)) + body[at + draw(st.integers(0, 3)) :]
    return body


KINDS = st.sampled_from([JSON, JSON, JSON, HTML, PLAIN_HTML, "text/plain", ""])


def page_with(value: bytes) -> bytes:
    """A page whose one file has a key that nobody here looks at."""
    file = b'{"filename": "alpha-1.0-py3-none-any.whl", "url": "x", "hashes": {"sha256": "%s"}, "other": %s}'
    digest = DIGESTS[next(iter(FILES))].encode()
    return b'{"meta": {"api-version": "1.0"}, "name": "alpha", "files": [%s]}' % (file % (digest, value))


@settings(max_examples=400, deadline=None)
@given(page_bytes(), KINDS)
@example(page_with(b'"\xff"'), JSON)
@example(page_with(b"1e400"), JSON)
@example(page_with(b"[" * 3000 + b"]" * 3000), JSON)
@example(page_with(b"0}], " + b'"versions": ["' + b"1" * 5000 + b'"], "more": [{"x": 0'), JSON)
def test_of_any_page_what_can_be_shown_is_or_it_is_said_to_be_none(body: bytes, kind: str) -> None:
    try:
        page = read_page(body, kind, canonicalize_name("alpha"), "http://index.example/simple/alpha/")
    except PageError:
        return

    mapping = shown(page, lambda entry: entry.file.sha256 is not None, lambda digest: None, "../../files/alpha/")

    told = msgspec.json.decode(msgspec.json.encode(mapping))
    assert project_html(told).count("<a ") == len(told["files"])
    for file in told["files"]:
        digest = file["url"].split("/")[4]
        assert digest.encode() in body.lower()
        assert file["hashes"]["sha256"].lower() == digest


@settings(FUZZ, max_examples=40)
@given(page_bytes(), KINDS)
def test_no_page_of_an_index_breaks_it(index: Above, asking: httpx2.Client, body: bytes, kind: str) -> None:
    index.handle["/simple/alpha/"] = lambda request: send(request, 200, body, Content_Type=kind)
    name = next(iter(FILES))
    try:
        statuses = [
            asking.get("/tenants/open/simple/alpha/").status_code,
            asking.get(f"/tenants/open/files/alpha/{DIGESTS[name]}/{name}").status_code,
        ]
    finally:
        del index.handle["/simple/alpha/"]

    # What was kept of an earlier page is shown for one that cannot be understood.
    assert set(statuses) <= {200, 404, 502}
