"""What is heard of a search, from the words of the real uv."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from recto.progress import Event
from recto.resolver.compiling import Patience
from recto.resolver.watching import LOG, Watch, without_steps

LINES = """\
DEBUG Solving with installed Python version: 3.11.7
DEBUG Adding direct dependency: airflow*
DEBUG Adding direct dependency: boto3<1.20
DEBUG Searching for a compatible version of airflow (*)
DEBUG Selecting: airflow==3.3.2 [compatible] (airflow-3.3.2-py3-none-any.whl)
DEBUG Adding transitive dependency for airflow==3.3.2: cadwyn>=5
DEBUG Searching for a compatible version of cadwyn (>=5)
DEBUG Adding transitive dependency for cadwyn==8.2.0: fastapi>=0.139
DEBUG Recording unit propagation conflict of Python from incompatibility of (deprecated)
DEBUG Recording dependency conflict of cadwyn==8.2.0 from incompatibility of (cadwyn, fastapi)
DEBUG Recording dependency conflict of cadwyn==8.1.1 from incompatibility of (cadwyn, fastapi)
DEBUG Recording unit propagation conflict of urllib3 from incompatibility of (botocore, urllib3)
error: No solution found
"""


def watched(text: str) -> Watch:
    watch = Watch()
    for line in text.encode().splitlines():
        watch.hear(line)
    return watch


def test_the_candidate_and_the_rounds_are_heard() -> None:
    watch = Watch()
    steps = [watch.hear(line) for line in LINES.encode().splitlines()]
    assert (watch.looks, watch.package, steps.count(True)) == (2, "cadwyn", 2)


def test_those_that_fight_most_are_the_declared_ones_behind_it() -> None:
    watch = watched(LINES)
    assert watch.fighting({"cadwyn", "fastapi"}) == ("cadwyn", "fastapi")
    assert watch.fighting({"airflow", "fastapi"}) == ("airflow", "fastapi")
    assert watch.fighting({"airflow", "boto3"}) == ()


def test_a_circle_of_packages_ends() -> None:
    circle = "DEBUG Adding transitive dependency for a==1: b\nDEBUG Adding transitive dependency for b==1: a\n"
    conflict = "DEBUG Recording dependency conflict of a==1 from incompatibility of (a, b)\n"
    assert watched(circle + conflict).fighting({"c"}) == ()


@pytest.mark.parametrize(
    "line", [b"", b"DEBUG ", b"\xff\xfe", b"DEBUG Searching", b"Searching for a compatible version of x"]
)
def test_other_lines_say_nothing(line: bytes) -> None:
    watch = Watch()
    assert not watch.hear(line)
    assert (watch.looks, watch.package, watch.fighting({"x"})) == (0, "", ())


def test_what_uv_says_otherwise_is_kept() -> None:
    assert without_steps(LINES) == "error: No solution found\n"


@pytest.mark.network
def test_the_uv_that_is_installed_words_its_steps_like_this(
    uv: Path, tmp_path: Path, network_environment: Mapping[str, str]
) -> None:
    # Each botocore of that time wants urllib3 below 2.
    (tmp_path / "asked.txt").write_text("boto3>1.20,<1.26\nurllib3>2\n")
    done = subprocess.run(
        [
            uv,
            "pip",
            "compile",
            "--no-config",
            "--color",
            "never",
            "--cache-dir",
            tmp_path / "cache",
            tmp_path / "asked.txt",
        ],
        env={**network_environment, "RUST_LOG": LOG},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    watch = watched(done.stderr)
    assert watch.looks > 3
    assert sorted(watch.fighting({"boto3", "urllib3"})) == ["boto3", "urllib3"]
    assert without_steps(done.stderr).startswith("error: No solution found")


def test_whoever_waits_hears_now_and_then_how_it_goes() -> None:
    seconds = iter([100.0, 101.0, 106.0, 107.0, 113.0])
    told: list[Event] = []
    patience = Patience(120.0, None, told.append, lambda: next(seconds))
    for name in ("a", "b", "c", "d"):
        patience.hear(f"DEBUG Searching for a compatible version of {name} (*)".encode())
        patience.hear(b"DEBUG Selecting: it")
    assert [event.message for event in told] == [
        "looking at b, candidate 2, after 6 s of 120 s",
        "looking at d, candidate 4, after 13 s of 120 s",
    ]
