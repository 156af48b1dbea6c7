"""What scripts rely on: exit codes, streams, JSON shapes, words. Nothing here needs the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from commandline import Recto, valid

pytest_plugins = ("cli_fixtures",)


def test_the_help_fits_a_screen(bare: Recto) -> None:
    done = bare("--help")
    assert done.code == 0
    assert len(done.out.splitlines()) <= 24
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize("arguments", [(), ("rendr",), ("render",), ("env",), ("render", "a.qmd", "--engine", "x")])
def test_wrong_usage_exits_with_2(bare: Recto, arguments: tuple[str, ...]) -> None:
    done = bare(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "usage:" in done.err


def test_versions_are_data(bare: Recto) -> None:
    assert bare("version").out.startswith("recto 0.1.0\n")
    assert bare("version", "--json").json["recto"] == "0.1.0"


def test_without_a_base_one_sentence_says_how_to_make_one(bare: Recto) -> None:
    done = bare("check")
    assert done.code == 1
    assert "There is no base interpreter" in done.err
    assert "recto base build" in done.err


def test_a_base_that_is_no_python_is_named(bare: Recto) -> None:
    done = bare("check", RECTO_BASE="/bin/false")
    assert done.code == 1
    assert "`/bin/false`" in done.err


def test_an_unknown_setting_is_refused(bare: Recto) -> None:
    done = bare("check", RECTO_BUGDET="5 GB")
    assert done.code == 1
    assert "`RECTO_BUGDET`" in done.err


def test_a_setting_with_an_impossible_value_is_refused(bare: Recto) -> None:
    done = bare("check", RECTO_BUDGET="lots")
    assert done.code == 1
    assert "`20 GB`" in done.err


def test_a_data_directory_that_cannot_be_written_is_a_problem(recto: Recto, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = recto("env", "list", RECTO_DATA_DIR=str(tmp_path / "file" / "data"))
    assert done.code == 1
    assert "RECTO_DATA_DIR" in done.err


def test_no_colour_where_nobody_watches(bare: Recto) -> None:
    assert "\x1b[" not in bare("check").err


def test_a_check_without_resolving_follows_its_schema_and_needs_no_network(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("Polars>=1 ; python_version > '3.8'\n")
    done = recto("check", "--json", "--no-resolve", RECTO_INDEX_URL="http://127.0.0.1:9/")
    assert done.code == 0
    value = valid(done.json, "check")
    assert value["plan"] is None
    assert value["declaration"]["requirements"] == [
        {
            "name": "Polars",
            "extras": [],
            "specifier": ">=1",
            "marker": 'python_version > "3.8"',
            "source": {"file": "requirements.txt", "line": 1},
        }
    ]
    assert value["verdict"] == {"allowed": True, "problems": []}
    assert value["state"] == "absent"


def test_a_check_of_a_bad_declaration_follows_its_schema(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("polars\n-e ../elsewhere\nnumpy=1.26\n")
    done = recto("check", "--json")
    assert done.code == 1
    value = valid(done.json, "check")
    assert value["state"] == "failed"
    assert [problem["source"]["line"] for problem in value["problems"]] == [2, 3]


@pytest.mark.makes("install-disabled")
def test_a_check_with_installing_off_says_so(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("polars\n")
    done = recto("check", "--json", RECTO_INSTALLING="off")
    assert done.code == 1
    verdict = valid(done.json, "check")["verdict"]
    assert not verdict["allowed"]
    assert verdict["problems"][0]["code"] == "install-disabled"


def test_an_explanation_follows_its_schema_and_shows_each_input(recto: Recto, project: Path) -> None:
    (project / "requirements.txt").write_text("polars\nnumpy<3\n")
    value = valid(recto("env", "explain", "--json").json, "explain")
    assert value["environment_key"] is None
    assert value["spec"]["requirements"] == ["numpy<3", "polars"]
    assert value["spec"]["python"]
    text = recto("env", "explain").out
    assert "leans" not in text
    for name in ("requirements", "interpreter", "python", "platform", "libc", "abi", "location", "index", "as-of"):
        assert name in text or name == "interpreter"


def test_a_render_of_a_missing_document_follows_its_schema(recto: Recto) -> None:
    done = recto("render", "nowhere.qmd", "--json")
    assert done.code == 1
    value = valid(done.json, "render")
    assert value["status"] == "failure"
    assert done.codes == ["document-missing"]


def test_a_diagnosis_follows_its_schema(bare: Recto) -> None:
    done = bare("diagnose", "--json", stdin="ModuleNotFoundError: No module named 'polars'\n")
    assert done.code == 0
    value = valid(done.json, "diagnose")
    assert value["problems"][0]["code"] == "missing-module"
    assert value["problems"][0]["package"] == "polars"


def test_a_log_that_is_not_there_is_a_problem(bare: Recto) -> None:
    done = bare("diagnose", "nowhere.log")
    assert done.code == 1
    assert "`nowhere.log`" in done.err


def test_a_key_that_nothing_has_is_a_problem(recto: Recto) -> None:
    done = recto("env", "rm", "ffff")
    assert done.code == 1
    assert "`ffff`" in done.err


@pytest.mark.parametrize("action", ["list", "prune"])
def test_an_empty_store_is_no_problem(recto: Recto, action: str) -> None:
    assert recto("env", action).code == 0


def test_a_command_that_is_not_there_is_a_problem_of_the_user(recto: Recto) -> None:
    done = recto("run", "--", "no-such-command-anywhere")
    assert done.code == 1
    assert "`no-such-command-anywhere`" in done.err


def test_run_needs_a_command(recto: Recto) -> None:
    assert recto("run").code == 2


def test_run_passes_arguments_streams_and_exit_code_through(recto: Recto) -> None:
    script = "import sys; sys.stdout.write(sys.stdin.read() + '|'.join(sys.argv[1:])); sys.exit(7)"
    done = recto("run", "--", "python", "-c", script, "--json", "a b", stdin="in:")
    assert done.code == 7
    assert done.out == "in:--json|a b"


def test_doctor_finds_nothing_wrong(recto: Recto) -> None:
    done = recto("doctor", "--json")
    assert done.code == 0, done.out
    checks = {row["check"]: row["status"] for row in done.json["checks"]}
    assert set(checks.values()) == {"ok"}
    assert {
        "locks",
        "links",
        "accounting",
        "room",
        "base",
        "uv",
        "pandoc",
        "typst",
        "quarto",
        "sandbox",
    } <= checks.keys()


def test_doctor_counts_what_is_used_and_mends_what_was_kept(bare: Recto, data: Path) -> None:
    def accounting() -> str:
        rows = bare("doctor", "--json").json["checks"]
        return " ".join(row["detail"] for row in rows if row["check"] in ("accounting", "room"))

    assert "no count was kept" in accounting()
    (data / "v1" / "cache" / "untold").write_bytes(b"u" * 5_000_000)
    assert "counted 5 MB in 0 environments and what they share, kept 0 bytes; mended 5 MB of 20 GB used" in accounting()
    assert "kept 5 MB 5 MB of 20 GB used" in accounting()


def test_doctor_names_a_missing_base_and_goes_on(bare: Recto) -> None:
    done = bare("doctor", "--json")
    assert done.code == 1
    checks = {row["check"]: row for row in done.json["checks"]}
    assert checks["base"]["status"] == "error"
    assert "recto base build" in checks["base"]["detail"]
    assert checks["typst"]["status"] == "ok"
