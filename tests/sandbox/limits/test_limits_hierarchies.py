"""Where groups can be made: by the words of /proc, and in the real hierarchy of version 2."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recto.sandbox.limits.hierarchies import Place, places

ALL = frozenset({"memory", "pids", "cpu"})


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """A directory with the two files that are read of a process; control groups are mounted in odd places."""
    for name in ("v1/jobs/mine", "v1/pids", "with space/slice/mine"):
        (tmp_path / "mnt" / name).mkdir(parents=True)
    (tmp_path / "cgroup").write_text(
        "9:name=systemd:/x\n4:memory:/jobs/mine\n3:pids:/outside\n2:cpu,cpuacct:/\n0::/slice/mine\n"
    )
    mount = tmp_path / "mnt"
    (tmp_path / "mountinfo").write_text(
        f"22 1 8:1 / / rw - ext4 /dev/root rw\n"
        f"31 22 0:30 / {mount}/v1 rw,nosuid shared:1 master:2 - cgroup cgroup rw,memory\n"
        f"32 22 0:31 /inside {mount}/v1/pids rw - cgroup cgroup rw,pids\n"
        f"33 22 0:32 / {mount}/gone rw - cgroup cgroup rw,cpu,cpuacct\n"
        f"34 22 0:33 / {mount}/with\\040space rw - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    return tmp_path


def test_places_follow_the_mounts_wherever_they_are(process: Path) -> None:
    """Not usable: a group outside of what is mounted, and a mount that is not there."""
    found = places(process)

    assert found == (
        Place(1, process / "mnt/v1/jobs/mine", frozenset({"memory"})),
        Place(2, process / "mnt/with space/slice/mine", frozenset()),
    )
    assert list((process / "mnt/v1/jobs/mine").iterdir()) == []


def test_what_version_2_passes_on_can_be_limited(process: Path) -> None:
    own = process / "mnt/with space/slice/mine"
    (own / "cgroup.subtree_control").write_text("memory pids io\n")

    assert places(process)[1] == Place(2, own, frozenset({"memory", "pids"}))


def test_without_control_groups_there_is_no_place(tmp_path: Path) -> None:
    assert places(tmp_path) == ()
    (tmp_path / "cgroup").write_text("")
    (tmp_path / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/root rw\n")
    assert places(tmp_path) == ()


# Joins a group of the real version 2, then says where groups can be made that limit `sys.argv[2]`.
LOOK = """
import json, os, sys
from pathlib import Path
Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
from recto.sandbox.limits.hierarchies import places
found = [one for one in places(controllers=frozenset(sys.argv[2:])) if one.version == 2]
print(json.dumps([[str(one.directory), sorted(one.controllers)] for one in found]))
"""


class TestTheRealVersion2:
    """Its rules are those of every controller; tried with one that this machine has there."""

    @pytest.fixture
    def service(self) -> Iterator[tuple[Path, str]]:
        """A group for a service with a group for its processes in it, and a controller that it may pass on."""
        place = next((place for place in places() if place.version == 2), None)
        if place is None:
            pytest.skip("no hierarchy of version 2 can be written here")
        controllers = (place.directory / "cgroup.controllers").read_text().split()
        if not controllers or os.geteuid() != 0:
            pytest.skip("no controller of version 2 can be passed on here")
        # Whoever else tries this at the same time waits for its turn.
        turn = os.open(place.directory, os.O_RDONLY)
        fcntl.flock(turn, fcntl.LOCK_EX)
        before = (place.directory / "cgroup.subtree_control").read_text().split()
        service = place.directory / f"test-service-{os.getpid()}"
        (service / "main").mkdir(parents=True)
        try:
            (place.directory / "cgroup.subtree_control").write_text(f"+{controllers[0]}")
            yield service, controllers[0]
        finally:
            (service / "main").rmdir()
            service.rmdir()
            if controllers[0] not in before:
                (place.directory / "cgroup.subtree_control").write_text(f"-{controllers[0]}")
            os.close(turn)

    def look(self, group: Path, controller: str) -> list[list[object]]:
        argv = (sys.executable, "-c", LOOK, str(group), controller)
        found: list[list[object]] = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
        return found

    def test_a_group_with_processes_passes_nothing_on(self, service: tuple[Path, str]) -> None:
        directory, controller = service

        assert self.look(directory / "main", controller) == [[str(directory / "main"), []]]

    def test_beside_our_own_below_what_was_delegated_there_is_room(self, service: tuple[Path, str]) -> None:
        directory, controller = service
        os.setxattr(directory, "user.delegate", b"1")

        assert self.look(directory / "main", controller) == [[str(directory), [controller]]]

    def test_a_parent_with_processes_is_left_alone(self, service: tuple[Path, str]) -> None:
        directory, controller = service
        os.setxattr(directory, "user.delegate", b"1")
        with subprocess.Popen(("/bin/cat",), stdin=subprocess.PIPE) as beside:
            (directory / "cgroup.procs").write_text(str(beside.pid))
            found = self.look(directory / "main", controller)

        assert found == [[str(directory / "main"), []]]
        assert (directory / "cgroup.subtree_control").read_text().split() == []
