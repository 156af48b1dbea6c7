"""What the gateway records of its answers, and that it gives none that it cannot record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateways import Rules, client, options, running
from index_above import Above, above
from recto.index.audit import Audit, Entry, Foreign, entries
from recto.index.audit.log import AuditLog
from recto.index.rules.age import Age
from recto.problems import StoreError, problem

WHEEL = "alpha-1.0-py3-none-any.whl"


@pytest.fixture
def index() -> Iterator[Above]:
    with above() as one:
        one.add("alpha", WHEEL, b"one")
        yield one


class Unwritable:
    """A log on a disk that is full."""

    def record(self, entry: Entry) -> None:
        """As the port says."""
        raise StoreError(problem("audit-unwritable", path="audit.jsonl", reason="No space left on device"))

    def close(self) -> None:
        """As the port says."""


def told(directory: Path) -> list[tuple[str, ...]]:
    strange: list[Foreign] = []
    found: list[tuple[str, ...]] = [
        (e.verdict, e.package, e.file, e.rule, e.tenant) for e in entries(directory, foreign=strange.append)
    ]
    assert strange == []
    return found


def test_pages_and_files_are_recorded_with_who_asked_and_what_came_of_it(index: Above, tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit")
    digest = hashlib.sha256(b"one").hexdigest()
    path = f"files/alpha/{digest}/{WHEEL}"
    rules = Rules((), {"strict": (Age(timedelta(days=36_500)),)})
    with running(options(tmp_path, index.url), rules, log) as address, client(address) as asking:
        for wanted in (
            "simple/Alpha/",
            path,
            f"{path}.metadata",
            "tenants/strict/simple/alpha/",
            f"tenants/strict/{path}",
            "simple/nobody/",
            f"files/alpha/{'0' * 64}/{WHEEL}",
        ):
            asking.get(f"/{wanted}")

    assert told(tmp_path / "audit") == [
        ("served", "alpha", "", "", ""),
        ("served", "alpha", WHEEL, "", ""),
        ("failed", "alpha", f"{WHEEL}.metadata", "", ""),
        ("hidden", "alpha", "", "", "strict"),
        ("hidden", "alpha", WHEEL, "age", "strict"),
        ("failed", "nobody", "", "", ""),
        ("failed", "alpha", WHEEL, "", ""),
    ]
    first = next(iter(entries(tmp_path / "audit")))
    assert first.client == "127.0.0.1"


def test_a_name_cannot_write_a_line_of_its_own(index: Above, tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit")
    with running(options(tmp_path, index.url), audit=log) as address, client(address) as asking:
        asking.get('/simple/a%0A{"verdict":"served"}/')

    (line,) = (tmp_path / "audit" / "audit.jsonl").read_bytes().splitlines()
    assert b'"verdict":"failed"' in line


@pytest.mark.parametrize("audit", [Unwritable()])
def test_what_cannot_be_recorded_is_not_done(index: Above, tmp_path: Path, audit: Audit) -> None:
    digest = hashlib.sha256(b"one").hexdigest()
    with running(options(tmp_path, index.url), audit=audit) as address, client(address) as asking:
        for path in ("/simple/alpha/", f"/files/alpha/{digest}/{WHEEL}"):
            answer = asking.get(path)
            assert answer.status_code == 503
            assert "No space left" in answer.json()["detail"]
