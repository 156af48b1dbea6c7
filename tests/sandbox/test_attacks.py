"""Attacks on bubblewrap's world that are finer than the cases of `tests/attacks`, and on what a project may hold."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from containing import needs_bubblewrap
from recto.problems import SandboxError
from recto.sandbox.base import Command, Limits, Outcome
from recto.sandbox.bubblewrap import Bubblewrap
from recto.sandbox.identity import Identity
from recto.sandbox.landlock import Landlock
from recto.sandbox.landlock.ruleset import LEAST_VERSION, version

pytestmark = needs_bubblewrap

PROBE = Path(__file__).with_name("attack_probe.py")
SECRET = "planted-secret-77c0"
FORBIDDEN = {"EROFS", "EACCES", "EPERM", "EXDEV", "EBUSY", "ENOENT", "ENOTSUP"}


class Attacked(Struct):
    """What became of all tries, and what was there to be attacked."""

    seen: Mapping[str, Any]
    own: Path
    environment: Path
    cached: Path
    hidden: Path
    before: str
    victim: int | None


def tree(directory: Path) -> str:
    """Stands for all bytes, names, modes and times below a directory."""
    total = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        total.update(f"{path} {status.st_mode} {status.st_uid} {status.st_mtime_ns} {status.st_nlink}".encode())
        total.update(path.read_bytes() if stat.S_ISREG(status.st_mode) else b"")
    return total.hexdigest()


def python() -> tuple[Path, ...]:
    return tuple(dict.fromkeys([Path(sys.base_prefix), Path(sys.executable).resolve().parents[1], Path(sys.prefix)]))


def attack(root: Path) -> Attacked:
    """All tries in bubblewrap, on an environment whose file is linked with the cache's, with a process outside."""
    own, environment, cache, other = (root / name for name in ("own", "environment", "cache", "other"))
    for directory in (own, environment, cache, other):
        directory.mkdir(parents=True)
    (cache / "wheel.py").write_text("x = 1\n")
    (environment / "linked.py").hardlink_to(cache / "wheel.py")
    (other / "marker").write_text(SECRET)
    before = tree(environment) + tree(cache)
    with subprocess.Popen(["/bin/sleep", "60"], env={}) as victim:
        given = {"environment": str(environment), "pid": victim.pid}
        command = Command(
            (sys.executable, "-I", "-S", str(PROBE)),
            own,
            {"RECTO_PROBE": "1"},
            (*python(), PROBE, environment),
            (own,),
            stdin=json.dumps(given).encode(),
            limits=Limits(wall_seconds=60),
        )
        outcome = Bubblewrap().run(command)
        ended = victim.poll()
        victim.kill()
    assert outcome.succeeded, outcome.stderr.decode()
    return Attacked(json.loads(outcome.stdout), own, environment, cache, other, before, ended)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """Everything, tried once, with a secret in our own environment and an open file of ours."""
    root = tmp_path_factory.mktemp("attacked")
    (root / "secret").write_text(SECRET)
    with pytest.MonkeyPatch.context() as patch, (root / "secret").open() as held:
        patch.setenv("SECRET_TOKEN", SECRET)
        os.set_inheritable(held.fileno(), True)
        yield attack(root / "world")


def test_an_environment_and_the_cache_that_it_is_linked_with_cannot_be_changed(attacked: Attacked) -> None:
    became = attacked.seen["environment"]

    assert set(became.values()) <= FORBIDDEN, became
    assert tree(attacked.environment) + tree(attacked.cached) == attacked.before


def test_neither_processes_nor_descriptors_nor_mounts_nor_keys_tell_a_secret(attacked: Attacked) -> None:
    told = attacked.seen["texts"] + attacked.seen["variables"]

    assert "RECTO_PROBE" in told
    assert SECRET not in told
    assert str(attacked.hidden) not in told
    assert "/secret" not in told


def test_no_rights_are_to_be_had_and_no_process_is_reached(attacked: Attacked) -> None:
    became = attacked.seen["rights"]

    # Its own first process is a process of the same user for a plain user; a signal that it did not ask for is lost.
    allowed = {"signal first", "descriptors of first"}
    assert {name for name, what in became.items() if what == "done"} <= allowed, became
    assert attacked.victim is None


def test_nothing_that_lends_rights_is_left_in_the_project(attacked: Attacked) -> None:
    left = {path.name: path.lstat() for path in attacked.own.iterdir()}

    assert "own.py" in left
    assert not [name for name, status in left.items() if status.st_mode & (stat.S_ISUID | stat.S_ISGID)]
    assert not [name for name, status in left.items() if stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode)]
    assert {status.st_uid for status in left.values()} == {Identity.here().number}


# Each takes more than it may have, in memory that no process's size shows.
BOMBS = {
    "files in /tmp": "for n in range(40):\n    open(f'/tmp/{n}', 'wb').write(bytes(5_000_000))",
    "shared memory": (
        "import mmap\nx = [mmap.mmap(-1, 5_000_000) for _ in range(40)]\nfor m in x: m.write(bytes(5_000_000))"
    ),
    "names in /tmp": "for n in range(400_000):\n    open(f'/tmp/{n}', 'wb').close()",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_memory_is_counted_wherever_it_hides(tmp_path: Path, bomb: str) -> None:
    limits = Limits(wall_seconds=60, memory_bytes=100_000_000, scratch_bytes=1_000_000_000)

    outcome = run(tmp_path, BOMBS[bomb] + "\nprint('survived')", limits)

    if outcome.tiers["memory"] not in ("cgroup-v1", "cgroup-v2"):
        pytest.skip("no control group can be made here: memory is counted for each process by itself")
    assert b"survived" not in outcome.stdout
    assert outcome.out_of_memory


def run(tmp_path: Path, code: str, limits: Limits) -> Outcome:
    own = tmp_path / "own"
    own.mkdir()
    command = Command((sys.executable, "-I", "-S", "-c", code), own, {}, python(), (own,), limits=limits)
    return Bubblewrap().run(command)


# Recto's own directories, where a project holds them.


class Nested(Struct):
    """A project that holds the data directory, with an environment to use and all that must not be seen."""

    project: Path
    data: Path
    environment: Path
    sandbox: Bubblewrap

    def shell(self, text: str) -> tuple[int, str]:
        command = Command(
            ("/bin/sh", "-c", text), self.project, {"PATH": "/usr/bin:/bin"}, (self.environment,), (self.project,)
        )
        outcome = self.sandbox.run(command)
        return outcome.code, (outcome.stdout + outcome.stderr).decode()


@pytest.fixture(params=["itself", "behind a link"])
def nested(request: pytest.FixtureRequest, tmp_path: Path) -> Nested:
    """The data directory is named as it is, or by a link from elsewhere."""
    project = tmp_path / "project"
    real = project / "deep" / "data"
    for key in ("a" * 32, "b" * 32):
        (real / "v1" / "envs" / key).mkdir(parents=True)
        (real / "v1" / "envs" / key / "file.py").write_text("shown")
    (real / "v1" / "envs" / ("b" * 32) / "file.py").write_text(SECRET)
    (real / "v1" / "cache").mkdir()
    (project / "paper.qmd").write_text("mine")
    data = real
    if request.param == "behind a link":
        data = tmp_path / "data"
        data.symlink_to(real)
    return Nested(project, data, data / "v1" / "envs" / ("a" * 32), Bubblewrap(hidden=(data, data / "v1")))


def test_a_project_that_holds_the_data_directory_sees_its_own_environment_only(nested: Nested) -> None:
    _, said = nested.shell(
        f"cat {nested.environment}/file.py paper.qmd; find deep {nested.data}/ -type f; grep -r secret ."
    )

    assert "shown" in said
    assert "mine" in said
    assert SECRET not in said
    assert "b" * 32 not in said
    assert "cache" not in said


def test_a_project_that_holds_the_data_directory_writes_all_but_that(nested: Nested) -> None:
    before = tree(nested.data.resolve())
    places = ("", "v1", "v1/envs", "v1/cache", "v1/envs/" + "a" * 32, "v1/envs/" + "b" * 32)
    tries = "; ".join(f"echo x > {root}/{place}/planted" for place in places for root in ("deep/data", nested.data))

    nested.shell(f"{tries}; mv deep away; rm -rf deep/data; echo x > deep/beside; echo x > own")

    assert tree(nested.data.resolve()) == before
    assert (nested.project / "own").exists()
    assert (nested.project / "deep" / "beside").exists()


def test_root_gives_a_project_away_but_not_the_data_directory_in_it(nested: Nested) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")

    nested.shell("true")

    assert (nested.project / "paper.qmd").stat().st_uid == Identity.here().number
    assert {path.lstat().st_uid for path in nested.data.resolve().rglob("*")} == {0}


@pytest.mark.parametrize("named", ["hidden", "read-only"])
def test_the_way_to_what_lies_in_a_project_cannot_be_moved_aside(tmp_path: Path, named: str) -> None:
    """Else something forged takes its place: outside, it would be run with our rights."""
    project = tmp_path / "project"
    inner = project / "a" / "b" / "tool"
    inner.mkdir(parents=True)
    (inner / "python").write_text("the real one")
    read_only = (inner,) if named == "read-only" else ()
    forging = "mv a z; mv a/b z; mv a/b/tool z; rm -rf a; mkdir -p a/b/tool; echo forged > a/b/tool/python; touch ran"
    command = Command(("/bin/sh", "-c", forging), project, {"PATH": "/usr/bin:/bin"}, read_only, (project,))

    Bubblewrap(hidden=(inner,) if named == "hidden" else ()).run(command)

    assert (project / "ran").exists()
    assert (inner / "python").read_text() == "the real one"


def test_between_two_read_only_places_of_a_project_nothing_becomes_writable(tmp_path: Path) -> None:
    project = tmp_path / "project"
    inner = project / "venv" / "lib" / "python" / "inner"
    inner.mkdir(parents=True)
    for directory in (project / "venv", project / "venv" / "lib", inner.parent, inner):
        directory.chmod(0o777)
    writing = "for p in venv venv/lib venv/lib/python venv/lib/python/inner; do echo x > $p/planted; done; touch ran"
    read_only = (project / "venv", inner)

    Bubblewrap().run(Command(("/bin/sh", "-c", writing), project, {"PATH": "/usr/bin:/bin"}, read_only, (project,)))

    assert (project / "ran").exists()
    assert list(project.rglob("planted")) == []


@pytest.mark.parametrize("named", ["hidden", "read-only"])
def test_a_link_in_a_project_is_no_way_to_what_is_ours(tmp_path: Path, named: str) -> None:
    project, real = tmp_path / "project", tmp_path / "real"
    (real / "tool").mkdir(parents=True)
    project.mkdir()
    (project / "link").symlink_to("../real")
    path = project / "link" / "tool"
    read_only, hidden = ((path,), ()) if named == "read-only" else ((), (path,))
    command = Command(("/usr/bin/touch", "ran"), project, {"PATH": "/usr/bin"}, read_only, (project,))

    with pytest.raises(SandboxError, match=r"which a document in .* may change"):
        Bubblewrap(hidden=hidden).run(command)

    assert not (project / "ran").exists()


@pytest.mark.parametrize("above", [0, 1])
def test_a_home_directory_is_no_project(tmp_path: Path, above: int) -> None:
    home = tmp_path / "home" / "user"
    home.mkdir(parents=True)
    project = (home, home.parent)[above]

    with pytest.raises(SandboxError, match="home directory"):
        Bubblewrap(home=home).run(Command(("/usr/bin/touch", "ran"), project, {"PATH": "/usr/bin"}, (), (project,)))

    assert not (project / "ran").exists()


def test_a_project_in_a_home_directory_is_one(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()

    Bubblewrap(home=tmp_path).run(Command(("/usr/bin/touch", "ran"), project, {"PATH": "/usr/bin"}, (), (project,)))

    assert (project / "ran").exists()


@pytest.mark.parametrize("writable", ["", "v1"])
def test_the_data_directory_itself_is_no_project(nested: Nested, writable: str) -> None:
    place = nested.data / writable

    with pytest.raises(SandboxError, match="holds Recto's own"):
        nested.sandbox.run(Command(("/usr/bin/touch", "ran"), place, {"PATH": "/usr/bin"}, (), (place,)))

    assert not (place / "ran").exists()


def test_landlock_which_cannot_take_anything_out_refuses_such_a_project(nested: Nested) -> None:
    if version() < LEAST_VERSION:
        pytest.skip(f"Landlock has version {version()} here")
    sandbox = Landlock(Identity.here(65534), hidden=(nested.data,))

    with pytest.raises(SandboxError, match="holds Recto's own"):
        sandbox.run(Command(("/usr/bin/touch", "ran"), nested.project, {"PATH": "/usr/bin"}, (), (nested.project,)))

    assert not (nested.project / "ran").exists()
