"""The operator's folder: what is read of it, what is refused, and what happens when it changes."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from osv_records import Json, keep, record
from recto.index.advisories.folder import RECORD_BYTES_MAX, Loaded, load
from recto.problems import Problem, SettingsError


def archive(path: Path, *records: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for one in records:
            file.writestr(f"{one['id']}.json", json.dumps(one))


def refused(folder: Path) -> Problem:
    with pytest.raises(SettingsError) as caught:
        load(folder)
    (one,) = caught.value.problems
    return one


def refusal(folder: Path) -> str:
    return refused(folder).message


def ids(loaded: Loaded) -> set[str]:
    return {kept.advisory.id for kept in loaded.advisories.about("widget")}


def test_files_at_any_depth_and_archives_are_read(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1"))
    keep(tmp_path / "vulns" / "w", record("X-2"))
    archive(tmp_path / "PyPI" / "all.zip", record("X-3"), record("X-4"))
    assert ids(load(tmp_path)) == {"X-1", "X-2", "X-3", "X-4"}


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    keep(tmp_path / "elsewhere" / "w", record("X-1"))
    keep(tmp_path / "one", record("X-2"))
    keep(tmp_path / "advisories")
    (tmp_path / "advisories" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "advisories" / "X-2.json").symlink_to(tmp_path / "one" / "X-2.json")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "advisories")
    assert ids(load(tmp_path / "advisories")) == {"X-1", "X-2"}


def test_what_is_hidden_and_what_is_no_record_is_left_alone(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1"))
    keep(tmp_path / ".git", record("X-2"))
    (tmp_path / ".half.json").write_text("{")
    (tmp_path / "README.md").write_text("# Advisories")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        file.writestr("LICENSE", "free")
    assert ids(load(tmp_path)) == {"X-1"}


def test_a_set_is_the_same_loose_and_packed(tmp_path: Path) -> None:
    keep(tmp_path / "loose", record("X-1"), record("MAL-2"))
    archive(tmp_path / "packed" / "all.zip", record("MAL-2"), record("X-1"))
    assert load(tmp_path / "loose").advisories.digest == load(tmp_path / "packed").advisories.digest


def put_text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def put_garbled_archive(path: Path) -> None:
    archive(path, record("X-1", details="d" * 4000))
    data = bytearray(path.read_bytes())
    data[60:90] = b"\x55" * 30
    path.write_bytes(data)


def put_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("X.json", b" " * (RECORD_BYTES_MAX + 1))


def put_encrypted_archive(path: Path) -> None:
    archive(path, record("X-1"))
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


@pytest.mark.makes("advisories-unreadable")
@pytest.mark.parametrize(
    ("name", "put", "reason"),
    [
        ("bad.json", put_text("{"), "truncated"),
        ("bad.json", put_text("[]"), "a record is an object"),
        ("bad.json", put_text('{"summary": "x"}'), "missing required field `id`"),
        ("bad.json", put_text("[" * 100_000), "nested too deeply"),
        ("bad.json", lambda path: path.write_bytes(b'{"id": "\xff"}'), "utf-8"),
        ("bad.json", os.mkfifo, "not a plain file"),
        ("bad.json", lambda path: path.symlink_to("nowhere"), "No such file"),
        ("bad.zip", put_text("not an archive"), "not a zip file"),
        ("bad.zip", put_garbled_archive, ""),
        ("bad.zip", put_bomb, "larger than 16 MB"),
        ("bad.zip", put_encrypted_archive, "encrypted"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, put: Callable[[Path], object], reason: str
) -> None:
    keep(tmp_path, record("X-1"))
    put(tmp_path / name)
    found = refused(tmp_path)
    assert found.code == "advisories-unreadable"
    assert str(tmp_path / name) in found.message
    assert reason in found.message


def test_of_an_archive_the_record_is_named(tmp_path: Path) -> None:
    archive(tmp_path / "all.zip", record("X-1"), {**record("X-2"), "affected": 3})
    message = refusal(tmp_path)
    assert f"{tmp_path}/all.zip/X-2.json" in message
    assert "$.affected" in message


@pytest.mark.parametrize(
    "records", [[], [record("X-1", ecosystem="npm")], [record("X-1", withdrawn="2026-01-01T00:00:00Z")]]
)
def test_a_folder_with_nothing_about_python_is_refused(tmp_path: Path, records: list[Json]) -> None:
    keep(tmp_path, *records)
    assert "ecosystem `PyPI`" in refusal(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path / "gone") in refusal(tmp_path / "gone")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    keep(tmp_path / "below", record("X-1"))
    keep(tmp_path, record("X-2"))
    (tmp_path / "below").chmod(0)
    message = refusal(tmp_path)
    (tmp_path / "below").chmod(0o755)
    assert str(tmp_path / "below") in message


def test_nothing_is_read_again_while_nothing_changes(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1"))
    first = load(tmp_path)
    assert first.refreshed(tmp_path) is first


def test_what_comes_goes_and_changes_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1"), record("X-2"))
    first = load(tmp_path)
    keep(tmp_path, record("X-3"))
    second = first.refreshed(tmp_path)
    (tmp_path / "X-1.json").unlink()
    third = second.refreshed(tmp_path)
    keep(tmp_path, record("X-2", withdrawn="2026-02-02T00:00:00Z"))
    fourth = third.refreshed(tmp_path)
    assert [ids(each) for each in (first, second, third, fourth)] == [
        {"X-1", "X-2"},
        {"X-1", "X-2", "X-3"},
        {"X-2", "X-3"},
        {"X-3"},
    ]


def test_a_file_of_the_same_size_and_time_that_was_put_in_its_place_is_seen(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1", versions=["1.0"]))
    first = load(tmp_path)
    status = (tmp_path / "X-1.json").stat()
    keep(tmp_path / "new", record("X-1", versions=["2.0"]))
    os.utime(tmp_path / "new" / "X-1.json", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "new" / "X-1.json").replace(tmp_path / "X-1.json")
    second = first.refreshed(tmp_path)
    assert second.advisories.digest != first.advisories.digest
    assert {entry[0] for entry in second.seen} == {"X-1.json"}


def test_the_last_good_set_stays_and_the_problem_until_it_is_mended(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1"))
    first = load(tmp_path)
    (tmp_path / "X-2.json").write_text('{"id": "X-')
    second = first.refreshed(tmp_path)
    third = second.refreshed(tmp_path)
    assert third is second
    assert second.advisories is first.advisories
    assert second.problem is not None
    assert "X-2.json" in second.problem.message
    keep(tmp_path, record("X-2"))
    fourth = third.refreshed(tmp_path)
    assert (fourth.problem, ids(fourth)) == (None, {"X-1", "X-2"})


def test_a_folder_that_went_away_and_came_back_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "advisories"
    keep(folder, record("X-1"))
    first = load(folder)
    folder.rename(tmp_path / "elsewhere")
    second = first.refreshed(folder)
    assert (second.advisories is first.advisories, second.problem is None) == (True, False)
    (tmp_path / "elsewhere").rename(folder)
    third = second.refreshed(folder)
    assert (third.problem, ids(third)) == (None, {"X-1"})


def test_a_folder_that_was_emptied_takes_no_advisory_away(tmp_path: Path) -> None:
    keep(tmp_path, record("X-1"))
    first = load(tmp_path)
    (tmp_path / "X-1.json").unlink()
    second = first.refreshed(tmp_path)
    assert (ids(second), second.problem is None) == ({"X-1"}, False)
