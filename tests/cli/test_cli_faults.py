"""Killed between any two steps, raced by thirty: never half an environment, never two builds, nothing left over."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from commandline import Recto
from recto.builder.uv_builder import FAILPOINTS as BUILDING
from recto.interpreters import Base
from recto.store.failpoints import EVICTING, PUBLISHING

pytest_plugins = ("cli_fixtures",)

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def warm(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose cache has the wheel, so that each case installs without a download."""
    return tmp_path_factory.mktemp("warm") / "data"


@pytest.fixture
def killable(recto: Recto, project: Path, warm: Path, data: Path, kernel_base: Base) -> Recto:
    (project / "requirements.txt").write_text("humanize==4.9.0\n")
    if not warm.exists():
        assert recto("env", "build", RECTO_DATA_DIR=str(warm)).code == 0
    (data / "v1").mkdir(parents=True)
    shutil.copytree(warm / "v1" / "cache", data / "v1" / "cache", symlinks=True)
    return recto


def left(data: Path) -> dict[str, int]:
    names = ("staging", "trash", "reservations", "locks")
    return {name: len(list((data / "v1" / name).iterdir())) for name in names}


def works(recto: Recto) -> bool:
    done = recto("run", "--", "python", "-c", "import humanize; print(humanize.__version__)")
    return done.code == 0 and done.out == "4.9.0\n"


@pytest.mark.parametrize("step", [*BUILDING, *PUBLISHING])
def test_a_build_killed_before_any_step_leaves_nothing_or_a_whole_environment(
    killable: Recto, data: Path, step: str
) -> None:
    killed = killable("env", "build", RECTO_FAILPOINT=step)
    assert killed.code == -signal.SIGKILL
    published = killable("env", "list", "--json").json["environments"]
    assert len(published) == (1 if step in PUBLISHING[PUBLISHING.index("renamed") :] else 0)
    assert works(killable)
    # What compiles bytecode behind the environment holds a lock of its own until it is done.
    killable("env", "finish")
    killable("env", "prune")
    assert left(data) == {"staging": 0, "trash": 0, "reservations": 0, "locks": 0}
    assert len(killable("env", "list", "--json").json["environments"]) == 1


@pytest.mark.parametrize("step", EVICTING)
def test_an_eviction_killed_before_any_step_leaves_nothing_or_a_whole_environment(
    killable: Recto, data: Path, step: str
) -> None:
    assert killable("env", "build").code == 0
    # What is in use stays, and whoever gives it its bytecode uses it for moments.
    assert killable("env", "finish").code == 0
    assert killable("env", "prune", "--budget", "0", RECTO_FAILPOINT=step).code == -signal.SIGKILL
    assert works(killable)
    # What compiles bytecode behind the environment holds a lock of its own until it is done.
    killable("env", "finish")
    killable("env", "prune")
    assert left(data) == {"staging": 0, "trash": 0, "reservations": 0, "locks": 0}


def test_thirty_processes_that_ask_for_one_new_spec_make_one_build(killable: Recto, data: Path) -> None:
    processes = [killable.start("env", "build", "--json") for _ in range(30)]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0] * 30, outputs
    answers = [json.loads(out) for out, _ in outputs]
    assert len({answer["key"] for answer in answers}) == 1
    assert sorted(answer["state"] for answer in answers) == ["built"] + ["cached"] * 29
    assert left(data)["staging"] == 0
