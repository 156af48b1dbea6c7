"""Bases, built for real from a short list; the curated one once for the whole run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from building import Workshop, order_of
from recto.builder.curated import FAILPOINTS, LOCK, RECORD, BaseBuilder, curated_requirements
from recto.builder.exchange import put_in_place
from recto.builder.workbench import Workbench
from recto.interpreters import Base, missing_render_stack, probe
from recto.problems import BaseError, BuildError
from recto.progress import Event

pytest_plugins = ("builder_fixtures",)
pytestmark = pytest.mark.network

STACK = "ipykernel\nnbclient\nnbformat\nPyYAML\njupyter-client\n"

# Builds a base and dies, without a chance to clean up, at the step named by the last argument.
KILLED = """
import os, signal, sys
from pathlib import Path
from recto.builder.curated import BaseBuilder
from recto.builder.workbench import Workbench
from recto.sandbox.none import NoSandbox
uv, cache, place, listed, step = sys.argv[1:]
kept = Path(cache).parent
places = (Path(uv), Path(cache), kept / "bytecode", kept / "starts", kept / "fonts")
workbench = Workbench(*places, NoSandbox(), dict(os.environ))
def failpoint(name):
    if name == step:
        os.kill(os.getpid(), signal.SIGKILL)
builder = BaseBuilder(workbench, failpoint=failpoint)
builder.build(Path(sys.executable), Path(place), Path(listed), upgrade=True)
"""


@pytest.fixture
def builder(workbench: Workbench) -> BaseBuilder:
    return BaseBuilder(workbench)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "base.txt"
    path.write_text(STACK)
    return path


def _inode(directory: Path) -> int:
    return directory.stat().st_ino


@pytest.mark.slow
def test_a_base_is_built_once_and_again_only_on_request(builder: BaseBuilder, listed: Path, tmp_path: Path) -> None:
    place, events = tmp_path / "data" / "base", list[Event]()
    python = builder.build(Path(sys.executable), place, listed, progress=events.append)
    assert python == place / "bin" / "python"
    assert [event.event for event in events][:1] == ["resolving"]
    assert [event.event for event in events][-2:] == ["proving", "ready"]
    base = probe(python)
    assert (base.is_venv, base.prefix) == (True, place)
    assert missing_render_stack(base, ["ipykernel", "nbclient"]) == ()
    lock = Pylock.from_dict(tomllib.loads((place / LOCK).read_text()))
    assert {package.name: str(package.version) for package in lock.packages} == dict(base.identity.distributions)

    first = _inode(place)
    builder.build(Path(sys.executable), place, listed)
    assert _inode(place) == first
    listed.write_text(STACK + "humanize\n")
    builder.build(Path(sys.executable), place, listed)
    assert _inode(place) != first
    assert "humanize" in probe(python).identity.distributions
    assert sorted(path.name for path in place.parent.iterdir()) == ["base", "base.lock"]


@pytest.mark.slow
def test_a_killed_builder_leaves_the_old_base_or_the_new_one(
    builder: BaseBuilder,
    listed: Path,
    uv: Path,
    uv_cache: Path,
    network_environment: Mapping[str, str],
    tmp_path: Path,
) -> None:
    place = tmp_path / "base"
    place.mkdir()
    for step in FAILPOINTS:
        argv = [sys.executable, "-c", KILLED, *map(str, (uv, uv_cache, place, listed)), step]
        killed = subprocess.run(argv, env=network_environment, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert (place / RECORD).exists() == (step == "placed")
        assert (place / "bin").exists() == (step == "placed")
        assert len(list(tmp_path.glob("base-staging-*"))) == 1
    whole = _inode(place)
    builder.build(Path(sys.executable), place, listed)
    assert _inode(place) == whole
    assert json.loads((place / RECORD).read_text())["requirements"] == STACK
    assert not list(tmp_path.glob("base-staging-*"))


def test_an_environment_stands_on_a_built_base(
    builder: BaseBuilder, listed: Path, workshop: Workshop, spam: Path, tmp_path: Path
) -> None:
    base = probe(builder.build(Path(sys.executable), tmp_path / "base", listed))
    workshop.build(order_of(base, spam))
    assert workshop.python("import spam, nbclient; print(nbclient.__file__)").startswith(str(base.prefix))


def test_an_unknown_package_in_the_list_is_a_problem_and_leaves_nothing(
    builder: BaseBuilder, listed: Path, tmp_path: Path
) -> None:
    listed.write_text("no-such-package-for-recto-tests\n")
    with pytest.raises(BuildError, match="no-such-package-for-recto-tests") as raised:
        builder.build(Path(sys.executable), tmp_path / "base", listed)
    assert raised.value.problems[0].code == "no-matching-distribution"
    assert not (tmp_path / "base").exists()


def test_a_list_without_a_kernel_fails_the_proof(builder: BaseBuilder, listed: Path, tmp_path: Path) -> None:
    listed.write_text("humanize\n")
    with pytest.raises(BuildError, match="No module named 'yaml'"):
        builder.build(Path(sys.executable), tmp_path / "base", listed)


def test_what_is_no_base_is_left_alone(builder: BaseBuilder, listed: Path, tmp_path: Path) -> None:
    place = tmp_path / "home"
    place.mkdir()
    (place / "thesis.qmd").write_text("text")
    with pytest.raises(BaseError, match="no base that Recto made"):
        builder.build(Path(sys.executable), place, listed)
    assert (place / "thesis.qmd").read_text() == "text"


def test_two_directories_change_places_in_one_step(tmp_path: Path) -> None:
    for name in ("new", "place"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text(name)
    put_in_place(tmp_path / "new", tmp_path / "place")
    assert (tmp_path / "place" / "content").read_text() == "new"
    assert (tmp_path / "new" / "content").read_text() == "place"
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / "gone", tmp_path / "place")


@pytest.mark.slow
def test_the_curated_base_holds_its_list(curated_base: Base) -> None:
    names = [line for line in curated_requirements().splitlines() if line and not line.startswith("#")]
    assert "numpy" in names
    assert missing_render_stack(curated_base, names) == ()
