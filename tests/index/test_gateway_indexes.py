"""Several indexes, indexes that are away, and what is kept of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from gateways import client, options, running
from index_above import JSON, Above, above, send
from recto.index.serving import Options
from recto.index.upstream import Upstream

WHEEL = "alpha-1.0-py3-none-any.whl"


@pytest.fixture
def first() -> Iterator[Above]:
    with above() as one:
        yield one


@pytest.fixture
def second() -> Iterator[Above]:
    with above() as one:
        yield one


def test_the_first_index_that_has_a_project_wins(first: Above, second: Above, tmp_path: Path) -> None:
    first.add("alpha", WHEEL, b"the operator's")
    second.add("alpha", "alpha-9.0-py3-none-any.whl", b"somebody else's")
    second.add("beta", "beta-1.0-py3-none-any.whl")
    with running(options(tmp_path, first.url, second.url)) as address, client(address) as asking:
        assert [file["filename"] for file in asking.get("/simple/alpha/").json()["files"]] == [WHEEL]
        assert asking.get("/simple/beta/").status_code == 200

    assert second.count("/simple/alpha/") == 0


def test_an_index_that_fails_is_not_passed_over(first: Above, second: Above, tmp_path: Path) -> None:
    second.add("alpha", WHEEL, b"somebody else's")
    first.handle["/simple/alpha/"] = lambda request: send(request, 503, b"")
    with running(options(tmp_path, first.url, second.url)) as address, client(address) as asking:
        assert asking.get("/simple/alpha/").status_code == 502

    assert second.asked == []


def test_everything_seen_is_served_while_the_index_is_away(first: Above, tmp_path: Path) -> None:
    digest = first.add("alpha", WHEEL, b"one")
    path = f"/files/alpha/{digest}/{WHEEL}"
    with running(options(tmp_path, first.url, page_seconds=0)) as address, client(address) as asking:
        assert asking.get("/simple/alpha/").headers["Cache-Control"] == "max-age=600"
        assert asking.get(path).content == b"one"
    # A new process, and nothing above it any more.
    first.handle["/simple/alpha/"] = lambda request: send(request, 500, b"")
    first.files.clear()
    with running(options(tmp_path, first.url, page_seconds=0)) as address, client(address) as asking:
        told = asking.get("/simple/alpha/")
        assert told.status_code == 200
        # Whoever gets it asks again soon.
        assert told.headers["Cache-Control"] == "no-cache"
        assert asking.get(path).content == b"one"


def test_a_page_that_has_not_changed_is_not_sent_again(first: Above, tmp_path: Path) -> None:
    first.add("alpha", WHEEL)
    statuses = []
    answer = first.answer

    def noted(request: object) -> None:
        answer(request)  # type: ignore[arg-type]
        statuses.append(request.headers.get("If-None-Match"))  # type: ignore[attr-defined]

    first.answer = noted  # type: ignore[method-assign]
    with running(options(tmp_path, first.url, page_seconds=0)) as address, client(address) as asking:
        etags = {asking.get("/simple/alpha/").headers["ETag"] for _ in range(3)}

    assert len(etags) == 1
    assert [status is not None for status in statuses] == [False, True, True]


def test_a_project_that_is_gone_is_gone(first: Above, tmp_path: Path) -> None:
    first.add("alpha", WHEEL)
    with running(options(tmp_path, first.url, page_seconds=0)) as address, client(address) as asking:
        assert asking.get("/simple/alpha/").status_code == 200
        del first.pages["alpha"]
        assert asking.get("/simple/alpha/").status_code == 404


@pytest.mark.parametrize("harm", [lambda data: data[:-5], lambda data: data.replace(b"alpha-1.0", b"alpha-6.6"), bytes])
def test_a_kept_page_that_was_damaged_is_asked_for_again(
    first: Above, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    first.add("alpha", WHEEL)
    with running(options(tmp_path, first.url)) as address, client(address) as asking:
        before = asking.get("/simple/alpha/").json()
    (kept,) = tmp_path.glob("pages/*/alpha.page")
    kept.write_bytes(harm(kept.read_bytes()) if harm is not bytes else b"\xff\n")

    with running(options(tmp_path, first.url)) as address, client(address) as asking:
        assert asking.get("/simple/alpha/").json() == before
    assert first.count("/simple/alpha/") == 2


def test_credentials_go_to_their_own_index_and_nowhere_else(first: Above, second: Above, tmp_path: Path) -> None:
    away = second.add("alpha", "alpha-2.0-py3-none-any.whl", b"two")
    own = first.add("alpha", WHEEL, b"one")
    first.add("alpha", "alpha-2.0-py3-none-any.whl", b"two", url=f"{second.url}../files/alpha-2.0-py3-none-any.whl")
    made_of = Options(tmp_path, (Upstream("own", first.url, ("reader", "s3cret-9f")),), 10**8)
    with running(made_of) as address, client(address) as asking:
        shown = [asking.get("/simple/alpha/").text]
        shown += [asking.get(f"/files/alpha/{own}/{WHEEL}").text]
        assert asking.get(f"/files/alpha/{away}/alpha-2.0-py3-none-any.whl").content == b"two"
        first.handle["/simple/alpha/"] = lambda request: send(request, 401, b"")
        shown += [asking.get("/simple/beta/").text]

    assert all(line.split()[2] == "Basic" for line in first.asked)
    assert all(len(line.split()) == 2 for line in second.asked)
    assert "s3cret-9f" not in "".join(shown) + "".join(path.read_text("latin-1") for path in _all(tmp_path))


def test_an_index_elsewhere_cannot_have_this_machines_networks_read(first: Above, tmp_path: Path) -> None:
    """The index is reached by a name that is not the loopback's, so its page may not lead there."""
    first.add("alpha", WHEEL, b"metadata of a cloud", url="http://169.254.169.254/latest/meta-data")
    digest = first.pages["alpha"]["files"][0]["hashes"]["sha256"]
    with running(options(tmp_path, first.url)) as address, client(address) as asking:
        answer = asking.get(f"/files/alpha/{digest}/{WHEEL}")
        part = asking.get(f"/files/alpha/{digest}/{WHEEL}", headers={"Range": "bytes=0-3"})

    assert (answer.status_code, part.status_code) == (502, 502)
    assert "private network" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/simple/alpha/", f"/files/{WHEEL}"])
def test_an_index_elsewhere_cannot_lead_there_by_a_redirect_either(first: Above, tmp_path: Path, path: str) -> None:
    digest = first.add("alpha", WHEEL, b"one")
    away = "http://169.254.169.254/latest/meta-data"
    first.handle[path] = lambda request: send(request, 302, b"", Location=away)
    with running(options(tmp_path, first.url)) as address, client(address) as asking:
        answer = asking.get(f"/files/alpha/{digest}/{WHEEL}")

    assert answer.status_code == 502
    assert "private network" in answer.json()["detail"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://[::1",
        "javascript:1",
        "//",
        "http://a..b/x",
        f"http://{'a' * 80}/x",
    ],
)
def test_a_file_at_an_address_that_is_none_is_not_fetched(first: Above, tmp_path: Path, url: str) -> None:
    digest = first.add("alpha", WHEEL, b"one", url=url)
    with running(options(tmp_path, first.url)) as address, client(address) as asking:
        assert asking.get(f"/files/alpha/{digest}/{WHEEL}").status_code == 502


def test_ten_thousand_names_that_do_not_exist_take_no_room(first: Above, tmp_path: Path) -> None:
    with running(options(tmp_path, first.url)) as address, client(address) as asking:
        for number in range(500):
            assert asking.get(f"/simple/nobody-{number}/").status_code == 404

    assert [path for path in _all(tmp_path) if path.suffix == ".page"] == []


def test_eight_who_ask_at_once_are_one_for_the_index(first: Above, tmp_path: Path) -> None:
    first.add("alpha", WHEEL)
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    together = Barrier(8)

    def ask(address: str) -> int:
        with httpx2.Client(base_url=address, timeout=30) as asking:
            asking.get("/health")
            together.wait()
            return asking.get("/simple/alpha/").status_code

    def slow(request: object) -> None:
        first.over.wait(0.3)
        send(request, 200, __import__("json").dumps(first.pages["alpha"]).encode(), Content_Type=JSON)  # type: ignore[arg-type]

    first.handle["/simple/alpha/"] = slow
    with running(options(tmp_path, first.url)) as address, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, [address] * 8)) == [200] * 8

    assert first.count("/simple/alpha/") == 1


def _all(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]
