"""Files through a gateway that serves: whole or in parts, once, verified, and only so many."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx2
import pytest

from gateways import client, options, running
from index_above import Above, above, send

WHEEL = "alpha-1.0-py3-none-any.whl"
LARGE = os.urandom(3_000_000)


@pytest.fixture
def index() -> Iterator[Above]:
    with above() as one:
        yield one


@pytest.fixture
def gateway(index: Above, tmp_path: Path) -> Iterator[httpx2.Client]:
    with running(options(tmp_path, index.url)) as address, client(address) as asking:
        yield asking


def wheel(metadata: bytes = b"Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n", more: bytes = b"") -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("alpha/__init__.py", more)
        archive.writestr("alpha-1.0.dist-info/METADATA", metadata)
    return body.getvalue()


def at(digest: str, filename: str = WHEEL) -> str:
    return f"/files/alpha/{digest}/{filename}"


def kept(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.suffix != ".page"]


def test_a_file_is_fetched_once_and_is_then_ours(index: Above, gateway: httpx2.Client) -> None:
    path = at(index.add("alpha", WHEEL, LARGE))

    first, again = gateway.get(path), gateway.get(path)

    assert first.content == again.content == LARGE
    assert again.headers["Cache-Control"] == "max-age=31536000, immutable"
    assert index.count(f"/files/{WHEEL}") == 1


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("bytes=0-9", 0, 10), ("bytes=-7", -7, None), ("bytes=2999990-", 2_999_990, None)]
)
@pytest.mark.parametrize("whole_first", [False, True])
def test_a_part_is_had_without_the_whole(
    index: Above, gateway: httpx2.Client, asked: str, start: int, end: int | None, whole_first: bool
) -> None:
    path = at(index.add("alpha", WHEEL, LARGE))
    if whole_first:
        gateway.get(path)

    answer = gateway.get(path, headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == LARGE[start:end]
    assert answer.headers["Content-Range"].endswith("/3000000")
    assert len([line for line in index.asked if WHEEL in line]) == 1


@pytest.mark.parametrize("asked", ["bytes=3000000-", "bytes=-0"])
@pytest.mark.parametrize("whole_first", [False, True])
def test_a_part_that_lies_outside_is_refused(
    index: Above, gateway: httpx2.Client, asked: str, whole_first: bool
) -> None:
    path = at(index.add("alpha", WHEEL, LARGE))
    if whole_first:
        gateway.get(path)

    answer = gateway.get(path, headers={"Range": asked})

    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */3000000")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5", "bytes=-"])
def test_a_part_that_is_none_is_the_whole(index: Above, gateway: httpx2.Client, asked: str) -> None:
    answer = gateway.get(at(index.add("alpha", WHEEL, LARGE)), headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, LARGE)


def test_an_index_without_parts_gives_the_whole(index: Above, gateway: httpx2.Client) -> None:
    index.ranges = False

    answer = gateway.get(at(index.add("alpha", WHEEL, LARGE)), headers={"Range": "bytes=0-9"})

    assert (answer.status_code, answer.content) == (200, LARGE)


@pytest.mark.parametrize("size", [len(LARGE), None])
def test_its_length_is_told_without_fetching_it(index: Above, gateway: httpx2.Client, size: int | None) -> None:
    answer = gateway.head(at(index.add("alpha", WHEEL, LARGE, size=size)))

    assert (answer.headers["Content-Length"], answer.headers["Accept-Ranges"]) == ("3000000", "bytes")
    assert f"GET /files/{WHEEL} " not in index.asked


@pytest.mark.parametrize("lie", [LARGE[:-1] + b"x", LARGE[:-1], LARGE + b"x", b""])
def test_another_file_than_the_page_names_reaches_nobody_whole_and_is_not_kept(
    index: Above, gateway: httpx2.Client, tmp_path: Path, lie: bytes
) -> None:
    path = at(index.add("alpha", WHEEL, LARGE))
    index.files[f"/files/{WHEEL}"] = lie

    # Refused where it was known before anything was sent, else cut off.
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.HTTPStatusError)):
        gateway.get(path).raise_for_status()

    assert kept(tmp_path) == []
    index.files[f"/files/{WHEEL}"] = LARGE
    assert gateway.get(path).content == LARGE


@pytest.mark.parametrize("status", [404, 403, 500, 206])
def test_an_error_of_the_index_is_not_the_file(
    index: Above, gateway: httpx2.Client, tmp_path: Path, status: int
) -> None:
    path = at(index.add("alpha", WHEEL, b"no such file"))
    index.handle[f"/files/{WHEEL}"] = lambda request: send(request, status, b"no such file")

    assert gateway.get(path).status_code == 502
    assert kept(tmp_path) == []


def test_eight_who_want_a_file_at_once_are_one_for_the_index(index: Above, tmp_path: Path) -> None:
    path = at(index.add("alpha", WHEEL, LARGE))
    together = threading.Barrier(8)

    def get(address: str) -> bytes:
        with client(address) as asking:
            asking.get("/simple/alpha/")
            together.wait()
            return asking.get(path).content

    with running(options(tmp_path, index.url)) as address, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, [address] * 8)) == {LARGE}

    assert index.count(f"/files/{WHEEL}") == 1


def test_whoever_stops_waiting_ends_it_for_nobody(index: Above, tmp_path: Path) -> None:
    digest = index.add("alpha", WHEEL, LARGE)
    go = threading.Event()

    def slow(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(LARGE)))
        request.end_headers()
        request.wfile.write(LARGE[:1_000_000])
        go.wait(20)
        request.wfile.write(LARGE[1_000_000:])

    index.handle[f"/files/{WHEEL}"] = slow
    with running(options(tmp_path, index.url)) as address, client(address) as asking:
        with client(address) as leaving, leaving.stream("GET", at(digest)) as answer:
            next(answer.iter_raw())
        go.set()
        assert asking.get(at(digest)).content == LARGE

    assert index.count(f"/files/{WHEEL}") == 1


def test_whoever_stops_reading_holds_up_nobody(index: Above, tmp_path: Path) -> None:
    large = os.urandom(30_000_000)
    digest = index.add("alpha", WHEEL, large)
    with running(options(tmp_path, index.url)) as address, client(address) as asking:
        url = httpx2.URL(address)
        with socket.create_connection((url.host, url.port)) as stuck:
            stuck.sendall(f"GET {at(digest)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert stuck.recv(10)
            assert asking.get(at(digest)).content == large


def test_a_file_is_kept_under_its_sha256_with_a_wheels_metadata(
    index: Above, gateway: httpx2.Client, tmp_path: Path
) -> None:
    body = wheel(b"Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\nRequires-Dist: beta\n")
    digest = index.add("alpha", WHEEL, body)
    assert gateway.get(f"{at(digest)}.metadata").status_code == 404
    gateway.get(at(digest))
    # It is verified and read while the last piece is sent.
    (file,) = gateway.get("/simple/alpha/").json()["files"]

    answer = gateway.get(f"{at(digest)}.metadata")

    assert answer.content.endswith(b"Requires-Dist: beta\n")
    assert file["core-metadata"] == file["dist-info-metadata"] == {"sha256": hashlib.sha256(answer.content).hexdigest()}
    assert (tmp_path / "files" / digest[:2] / digest[2:]).read_bytes() == body


def test_metadata_that_the_index_has_is_verified(index: Above, gateway: httpx2.Client) -> None:
    good = b"Metadata-Version: 2.1\n"
    digest = index.add("alpha", WHEEL, b"w", core_metadata={"sha256": hashlib.sha256(good).hexdigest()})
    index.files[f"/files/{WHEEL}.metadata"] = b"Metadata-Version: 6.6\n"
    with pytest.raises(httpx2.HTTPError):
        gateway.get(f"{at(digest)}.metadata").raise_for_status()

    index.files[f"/files/{WHEEL}.metadata"] = good
    assert gateway.get(f"{at(digest)}.metadata").content == good


@pytest.mark.parametrize(
    "body",
    [b"", b"PK", b"no zip", wheel(b"x" * 6_000_000), wheel()[:-30], wheel().replace(b"METADATA", b"METADATB")],
    ids=["empty", "start", "none", "large", "cut", "other name"],
)
def test_a_wheel_that_cannot_be_read_is_a_file_without_metadata(
    index: Above, gateway: httpx2.Client, body: bytes
) -> None:
    digest = index.add("alpha", WHEEL, body)

    assert gateway.get(at(digest)).content == body
    assert gateway.get(f"{at(digest)}.metadata").status_code == 404


def test_what_was_used_longest_ago_goes_when_it_is_full(index: Above, tmp_path: Path) -> None:
    names = [f"alpha-{number}.0-py3-none-any.whl" for number in range(4)]
    paths = [at(index.add("alpha", name, bytes([number]) * 400_000), name) for number, name in enumerate(names)]
    with running(options(tmp_path, index.url, bytes_max=1_000_000)) as address, client(address) as asking:
        asking.get(paths[0])
        asking.get(paths[1])
        asking.get(paths[0])
        asking.get(paths[2])
        assert sum(path.stat().st_size for path in kept(tmp_path)) <= 1_000_000
        for number in (0, 2, 1):
            assert asking.get(paths[number]).content == bytes([number]) * 400_000

    assert [index.count(f"/files/{name}") for name in names] == [1, 2, 1, 0]


def test_a_file_that_is_larger_than_all_room_is_given_all_the_same(index: Above, tmp_path: Path) -> None:
    digest = index.add("alpha", WHEEL, LARGE)
    with running(options(tmp_path, index.url, bytes_max=1000)) as address, client(address) as asking:
        assert asking.get(at(digest)).content == LARGE
    assert kept(tmp_path) == []


def test_what_a_killed_gateway_left_is_swept_and_what_another_fetches_is_not(index: Above, tmp_path: Path) -> None:
    import fcntl

    coming = tmp_path / "coming"
    coming.mkdir()
    (coming / "left").write_bytes(b"half")
    with (coming / "held").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with running(options(tmp_path, index.url)):
            assert [path.name for path in coming.iterdir()] == ["held"]


@pytest.mark.parametrize("filename", ["..", "%2e%2e", "a%2fb", "alpha-1.0.whl%00", ".hidden", "-a"])
def test_no_name_leads_out_of_the_files(index: Above, gateway: httpx2.Client, filename: str) -> None:
    index.add("alpha", WHEEL)

    for digest in ("0" * 64, "..", "%2e%2e"):
        assert gateway.get(f"/files/alpha/{digest}/{filename}").status_code in (404, 405)
