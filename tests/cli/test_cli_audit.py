"""`recto audit`: the log of the gateway as a table, as JSON, for scripts and for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audited import NOON, entry
from commandline import Recto, valid
from recto.app import App
from recto.cli.cells import cell
from recto.cli.moments import moment
from recto.index.audit import AuditLog, Entry, Options
from recto.index.audit.entry import fields
from recto.problems import SettingsError
from recto.settings import load

pytest_plugins = ("cli_fixtures",)

RECORDED = (
    entry(request="0", when=NOON - timedelta(days=2), subject="ann", file="polars-1.0.tar.gz", verdict="refused"),
    entry(
        request="1",
        subject="bob",
        file="polars-2.0-py3-none-any.whl",
        verdict="hidden",
        rule="age",
        reason="younger than 7 days",
        sha256="a" * 64,
        bytes=1234,
    ),
    entry(request="2", when=NOON + timedelta(days=1), client="unix:build", package="scikit-learn"),
)


@pytest.fixture
def directory(data: Path) -> Path:
    path = data / "v1" / "audit"
    log = AuditLog(path, Options(file_bytes=1))
    for one in RECORDED:
        log.record(one)
    log.close()
    return path


def test_a_table_shows_when_who_what_and_why(bare: Recto, directory: Path) -> None:
    done = bare("audit", "show")
    assert (done.code, done.err) == (0, "3 entries\n")
    assert done.out.splitlines() == [
        "2026-11-24 12:00:00Z  ann         polars-1.0.tar.gz            refused  -",
        "2026-11-26 12:00:00Z  bob         polars-2.0-py3-none-any.whl  hidden   age: younger than 7 days",
        "2026-11-27 12:00:00Z  unix:build  scikit-learn                 served   -",
    ]


def test_the_json_follows_its_schema_and_holds_what_was_recorded(bare: Recto, directory: Path) -> None:
    value = valid(bare("audit", "show", "--json").json, "audit")
    assert value == {"entries": [fields(one) for one in RECORDED], "foreign": []}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("-n", "2"), ["1", "2"]),
        (("-n", "0"), []),
        (("--since", "2026-11-26"), ["1", "2"]),
        (("--since", "2026-11-26T12:00:01Z"), ["2"]),
        (("--until", "2026-11-26T13:00+02:00"), ["0"]),
        (("--package", "Scikit_Learn"), ["2"]),
        (("--subject", "ann"), ["0"]),
        (("--verdict", "hidden"), ["1"]),
        (("--rule", "age", "--subject", "ann"), []),
    ],
)
def test_what_is_asked_for_is_shown(bare: Recto, directory: Path, options: tuple[str, ...], wanted: list[str]) -> None:
    assert [one["request"] for one in bare("audit", "show", "--json", *options).json["entries"]] == wanted


def test_a_log_that_is_not_there_has_no_entries_and_is_not_made(bare: Recto, data: Path) -> None:
    done = bare("audit", "show")
    assert (done.code, done.out, done.err) == (0, "", "0 entries\n")
    assert (bare("audit", "export").out, bare("audit", "export", "--format", "csv").out.count("\n")) == ("", 1)
    assert not data.exists()


def test_an_export_is_the_lines_of_the_log(bare: Recto, directory: Path) -> None:
    done = bare("audit", "export", "--since", "2026-11-25")
    assert [json.loads(line) for line in done.out.splitlines()] == [fields(one) for one in RECORDED[1:]]


def test_an_export_for_spreadsheets_has_a_row_for_each_entry(bare: Recto, directory: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(bare("audit", "export", "--format", "csv").out)))
    assert [row["request"] for row in rows] == ["0", "1", "2"]
    assert rows[1] == {name: str(value) for name, value in fields(RECORDED[1]).items()}
    assert rows[0]["bytes"] == ""


def test_nothing_that_is_shown_steers_a_terminal_or_a_spreadsheet(bare: Recto, data: Path) -> None:
    hostile = "=cmd|' /C calc'!A0\n\x1b]0;owned\x07\x9b2J\u202e"
    AuditLog(data / "v1" / "audit").record(entry(file=hostile, subject=hostile, reason="@SUM(1)"))
    shown, table = bare("audit", "show"), bare("audit", "export", "--format", "csv")
    assert len(shown.out.splitlines()) == 1
    assert len(table.out.splitlines()) == 2
    for done in (shown, table, bare("audit", "export")):
        assert not set(done.out) & set("\x1b\x07\x9b\u202e")
    (row,) = csv.DictReader(io.StringIO(table.out))
    assert row["file"].startswith("'=cmd|")
    assert row["reason"] == "'@SUM(1)"


@given(st.text(st.sampled_from("=+-@＝;,|\"'\t\n\r \x1b\ufeff\u200bax") | st.characters(), max_size=30))
def test_no_cell_is_a_formula_whatever_divides_the_line(text: str) -> None:
    made = cell(text)
    assert not set(made) & set("\n\r\x1b\x00\u202e\ufeff\u200b")
    for part in made.replace(",", ";").replace("|", ";").replace('"', ";").split(";"):
        assert part.strip()[:1] not in tuple("=+-@＝＋－＠")


def test_what_is_foreign_is_told_and_the_rest_shown(bare: Recto, directory: Path) -> None:
    with (directory / "audit.jsonl").open("ab") as file:
        file.write(b"garbage\x1b[2J\nmore\n")
    done = bare("audit", "show", "-n", "1")
    assert done.code == 0
    assert "`audit.jsonl`: left out 2 lines, the first is line 2: " in done.err
    assert "\x1b" not in done.err
    value = valid(bare("audit", "show", "--json").json, "audit")
    assert [(one["file"], one["lines"], one["first"]) for one in value["foreign"]] == [("audit.jsonl", 2, 2)]
    assert len(value["entries"]) == 3


def test_a_log_that_cannot_be_read_is_a_problem(bare: Recto, data: Path) -> None:
    (data / "v1").mkdir(parents=True)
    (data / "v1" / "audit").touch()
    done = bare("audit", "show", "--json")
    assert (done.code, done.codes) == (1, ["audit-unreadable"])


def test_doctor_tells_what_the_log_takes_and_that_it_cannot_be(bare: Recto, directory: Path) -> None:
    def told(**variables: str) -> tuple[str, str]:
        (row,) = [row for row in bare("doctor", "--json", **variables).json["checks"] if row["check"] == "audit log"]
        return row["status"], row["detail"]

    status, detail = told()
    assert status == "ok"
    assert "3 files" in detail
    assert told(RECTO_AUDIT="off") == ("ok", "off: what the gateway hands out is not recorded")
    assert told(RECTO_DATA_DIR=str(directory.parents[2] / "new")) == ("ok", "nothing recorded yet")
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    directory.touch()
    assert told()[0] == "error"


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_moment_that_is_none_is_a_problem(bare: Recto, option: str) -> None:
    done = bare("audit", "export", option, "yesterday")
    assert done.code == 1
    assert f"`{option}` cannot be `yesterday`" in done.err
    assert "`24h`" in done.err


@pytest.mark.parametrize("wrong", [("show", "--verdict", "eaten"), ("show", "-n", "-1"), ("show", "-n", "1e3"), ()])
def test_wrong_usage_exits_with_2(bare: Recto, wrong: tuple[str, ...]) -> None:
    assert bare("audit", *wrong).code == 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", NOON - timedelta(seconds=90)),
        ("30m", NOON - timedelta(minutes=30)),
        ("24h", NOON - timedelta(days=1)),
        ("7d", NOON - timedelta(days=7)),
        ("2w", NOON - timedelta(days=14)),
        (" 2026-11-26 ", datetime(2026, 11, 26, tzinfo=UTC)),
        ("2026-11-26T14:00+02:00", NOON),
    ],
)
def test_moments_are_durations_before_now_or_dates(text: str, wanted: datetime) -> None:
    assert moment("--since", text, NOON) == wanted


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "-7d", "٧d", "999999w", "2026-13-01", "0001-01-01T00:00+14:00"])
def test_what_names_no_moment_is_told(text: str) -> None:
    with pytest.raises(SettingsError):
        moment("--since", text, NOON)


def test_the_settings_are_those_of_the_log(tmp_path: Path) -> None:
    variables = {"RECTO_DATA_DIR": str(tmp_path), "XDG_CONFIG_HOME": "/nowhere", "RECTO_AUDIT_BYTES": "1"}
    app = App(load(variables))
    for number in range(3):
        app.audit.record(entry(request=str(number)))
    app.audit.close()
    assert len(list((tmp_path / "v1" / "audit").glob("audit-*"))) == 2
    off = App(load({**variables, "RECTO_DATA_DIR": str(tmp_path / "off"), "RECTO_AUDIT": "off"}))
    off.audit.record(entry())
    assert not (tmp_path / "off").exists()


def test_the_guide_shows_a_line_with_every_key_and_explains_each() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "audit.md").read_text(encoding="utf-8")
    (example,) = [json.loads(line) for line in guide.splitlines() if line.startswith('{"schema"')]
    assert msgspec.convert(example, Entry).rule == "age"
    table = {
        key for row in guide.splitlines() if row.startswith("| `") for key in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert table == set(example) == set(fields(entry()))
