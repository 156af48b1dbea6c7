"""`recto diagnose` on its forms, and on logs of every size and state."""

from __future__ import annotations

import random
import resource
import subprocess
from pathlib import Path

import pytest

from commandline import Recto
from log_panel import entries

pytest_plugins = ("cli_fixtures",)

MISSING = "ModuleNotFoundError: No module named 'polars'\n"
FILLING = b"  Downloading something (12 kB)\n" * 32_768
MEGABYTES = 200
# Far less than the log, and far more than what is read of it takes.
MEMORY_BYTES = 900 * 1024**2


def test_the_words_go_to_standard_error(bare: Recto) -> None:
    done = bare("diagnose", stdin=MISSING)

    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("error: The module `polars` is not installed.\n")


def test_json_can_be_asked_for_in_two_ways(bare: Recto) -> None:
    assert bare("diagnose", "--format", "json", stdin=MISSING).out == bare("diagnose", "--json", stdin=MISSING).out


def test_a_failure_is_json_where_that_is_the_format(bare: Recto) -> None:
    done = bare("diagnose", "--format", "json", "nowhere.log")

    assert done.code == 1
    assert done.codes == ["file-not-found"]


def test_the_log_for_a_panel_has_an_entry_a_problem_at_the_document(bare: Recto) -> None:
    done = bare("diagnose", "--format", "output-log", "--document", "naïve paper.qmd", stdin=MISSING)

    assert done.code == 0
    (entry,) = entries(done.out)
    assert (entry.level, entry.file, entry.line) == ("error", "naïve paper.qmd", 1)
    assert entry.message == "The module `polars` is not installed."
    assert f"  {MISSING}" in done.out


def test_the_log_for_a_panel_is_utf8_whatever_the_terminal(bare: Recto) -> None:
    done = subprocess.run(
        [*bare.argv, "diagnose", "--format", "output-log", "--document", "é.qmd"],
        input=MISSING.encode(),
        capture_output=True,
        env={**bare.variables, "PYTHONIOENCODING": "ascii"},
        cwd=bare.cwd,
        check=True,
    )

    assert "/compile/é.qmd:1: ".encode() in done.stdout


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 200 MB whose cause is on its last line."""
    path = tmp_path_factory.mktemp("logs") / "huge.log"
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(FILLING)
        file.write(MISSING.encode())
    return path


@pytest.mark.parametrize("way", ["file", "pipe", "redirection"])
def test_of_200_megabytes_the_ends_are_read(bare: Recto, huge: Path, way: str) -> None:
    command = {"file": '"$@" "$LOG"', "pipe": 'cat "$LOG" | "$@"', "redirection": '"$@" < "$LOG"'}[way]
    done = subprocess.run(
        ["sh", "-c", command, "sh", *bare.argv, "diagnose", "--json"],
        capture_output=True,
        env={**bare.variables, "LOG": str(huge)},
        cwd=bare.cwd,
        check=True,
        preexec_fn=_with_little_memory,
    )

    assert b'"missing-module"' in done.stdout


def _with_little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_both_ends_of_a_long_log_are_read_in_its_encoding(bare: Recto, tmp_path: Path, encoding: str) -> None:
    log = tmp_path / "long.log"
    asked = "Collecting naïve (from -r réq.txt (line 7))\n"
    failed = "ERROR: Could not find a version that satisfies the requirement naïve (from versions: none)\n"
    log.write_bytes((asked + "é filling\n" * 1_000_000 + failed.replace("naïve", "naive")).encode(encoding))

    done = bare("diagnose", "--json", str(log))

    assert done.codes == ["no-matching-distribution"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\x00" * 5000,
        b"\xff\xfe\x00",
        b"a" * 6_000_000,
        random.Random(1).randbytes(6_000_000),
        b"\x7fELF" + bytes(range(256)) * 400,
    ],
    ids=["empty", "blank", "zeros", "half", "one-line", "random", "binary"],
)
def test_what_is_no_log_has_a_cause_that_is_not_recognised(bare: Recto, tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "some.log"
    log.write_bytes(content)

    done = bare("diagnose", "--json", str(log))

    assert (done.code, done.codes) == (0, ["cause-unknown"])


@pytest.mark.parametrize("name", [".", "/proc/self/mem", "/nowhere/x", "nowhere\n", ""])
def test_what_cannot_be_read_is_a_problem(bare: Recto, name: str) -> None:
    done = bare("diagnose", "--json", name)

    assert done.code == 1
    assert len(done.codes) == 1
