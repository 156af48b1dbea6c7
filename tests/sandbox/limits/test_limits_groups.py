"""Limits that control groups keep, against real processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import limited
from limited import MEGABYTE, alive, python, run
from recto.problems import SandboxError
from recto.sandbox.base import Limits
from recto.sandbox.limits.cgroups import Group, clear, limit, start_of_names
from recto.sandbox.limits.hierarchies import Place, places
from recto.sandbox.limits.keeping import Limiter
from recto.sandbox.supervise import supervise

PLACES = places()
LIMITED = frozenset().union(*(place.controllers for place in PLACES))
needs_groups = pytest.mark.skipif(
    not {"memory", "pids", "cpu"} <= LIMITED,
    reason="this process may not make control groups for memory, processes and processors",
)
unified = pytest.mark.skipif(
    not any(place.version == 2 for place in PLACES), reason="no hierarchy of version 2 can be written here"
)

# A daemon in a session of its own, without a parent, deaf to SIGTERM, without the environment that it was given.
DAEMON = """
import os, signal, sys
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.set_inheritable(write, True)
        os.execve('/bin/sh', ['sh', '-c', f'echo $$ >&{write}; exec sleep 600 >&- 2>&-'], {})
    os._exit(0)
os.close(write)
print(os.fdopen(read).readline(), end='', flush=True)
"""


def left_behind() -> list[Path]:
    """The groups of this process that are still there."""
    return [path for place in PLACES for path in place.directory.glob(f"recto-{os.getpid()}-*")]


@needs_groups
def test_a_command_that_takes_too_much_memory_is_killed_for_it(tmp_path: Path) -> None:
    outcome = run(python("bytearray(400_000_000)", cwd=tmp_path, limits=Limits(memory_bytes=60 * MEGABYTE)))

    assert (outcome.code, outcome.stop, outcome.memory_kills) == (-signal.SIGKILL, "exited", 1)
    assert outcome.out_of_memory
    assert outcome.tiers["memory"].startswith("cgroup")
    assert left_behind() == []


@needs_groups
def test_memory_that_hides_in_shared_memory_counts(tmp_path: Path) -> None:
    """Also what is not of any one process: RLIMIT_DATA does not see it."""
    hidden = Path("/dev/shm") / f"recto-test-{os.getpid()}"
    code = "import sys\nwith open(sys.argv[1], 'wb') as f:\n for _ in range(400): f.write(bytes(1_000_000))"
    try:
        outcome = run(python(code, str(hidden), cwd=tmp_path, limits=Limits(memory_bytes=60 * MEGABYTE)))
    finally:
        hidden.unlink(missing_ok=True)

    assert outcome.out_of_memory


@needs_groups
def test_processes_share_their_memory_limit_and_one_killed_alone_is_counted(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "children = [os.fork() or os.execv(sys.executable, [sys.executable, '-I', '-S', '-c',\n"
        "            'import signal; b = bytearray(30_000_000); signal.pause()']) for _ in range(4)]\n"
        "ended, status = os.wait()\n"
        "print(os.waitstatus_to_exitcode(status), flush=True)\n"
    )

    outcome = run(python(code, cwd=tmp_path, limits=Limits(memory_bytes=80 * MEGABYTE)))

    assert (outcome.code, outcome.stdout) == (0, b"-9\n")
    assert outcome.memory_kills >= 1
    assert not outcome.out_of_memory


@needs_groups
def test_a_kill_beside_the_command_is_not_its_own(tmp_path: Path) -> None:
    limiter = Limiter()
    quiet = python("input()", cwd=tmp_path, limits=Limits(memory_bytes=60 * MEGABYTE), stdin=b"\n")
    greedy = python("bytearray(400_000_000)", cwd=tmp_path, limits=Limits(memory_bytes=60 * MEGABYTE))
    with limiter.keep(quiet) as keeper:
        assert run(greedy, limiter).out_of_memory
        outcome = supervise(quiet, keeper=keeper)

    assert outcome.succeeded
    assert outcome.memory_kills == 0


@needs_groups
def test_a_fork_bomb_stays_within_its_limit_and_leaves_nothing(tmp_path: Path) -> None:
    token = os.urandom(8).hex()
    code = "import os\nwhile True:\n    try: os.fork()\n    except BlockingIOError: print('refused', flush=True)\n"
    limits = Limits(processes=64, cpus=0.5, wall_seconds=30.0, memory_bytes=500 * MEGABYTE)
    seen: list[int] = []

    def cancelled() -> bool:
        seen.append(
            sum(
                token in process.info["cmdline"]
                for process in psutil.process_iter(["cmdline"])
                if process.info["cmdline"]
            )
        )
        return len(seen) > 2

    outcome = run(python(code, token, cwd=tmp_path, limits=limits), cancelled=cancelled)

    assert outcome.stop == "cancelled"
    assert 0 < max(seen) <= 64
    assert outcome.refused_processes > 0
    assert outcome.tiers == {"memory": "cgroup-v1", "processes": "cgroup-v1", "cpus": "cgroup-v1"} or set(
        outcome.tiers.values()
    ) == {"cgroup-v2"}
    assert not [one for one in psutil.process_iter(["cmdline"]) if token in (one.info["cmdline"] or ())]
    assert left_behind() == []


@needs_groups
def test_threads_count_as_processes(tmp_path: Path) -> None:
    code = (
        "import threading\n"
        "stop = threading.Event()\n"
        "try:\n"
        "    for count in range(1000): threading.Thread(target=stop.wait).start()\n"
        "except RuntimeError as error: print(count, error)\n"
        "stop.set()\n"
    )

    outcome = run(python(code, cwd=tmp_path, limits=Limits(processes=32)))

    assert outcome.stdout.decode().strip() == "31 can't start new thread"
    assert outcome.succeeded
    assert outcome.refused_processes == 1


@needs_groups
def test_a_share_of_the_processors_is_kept(tmp_path: Path) -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass"
    command = python(code, cwd=tmp_path, limits=Limits(cpus=0.2))
    with Limiter().keep(command) as keeper:
        outcome = supervise(command, keeper=keeper)
        throttled = keeper.throttled

    assert outcome.succeeded
    assert (throttled or 0) > 0
    assert outcome.tiers["cpus"].startswith("cgroup")


@needs_groups
def test_a_daemon_without_environment_session_or_parent_is_gone_when_run_returns(tmp_path: Path) -> None:
    outcome = run(python(DAEMON, cwd=tmp_path, limits=Limits(processes=50)))

    assert not alive(int(outcome.stdout))
    assert left_behind() == []


SERVICE = """
import sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
import limited
from limited import python, run
from recto.sandbox.base import Limits
command = python(sys.argv[3] + "\\nimport signal; signal.pause()", cwd=Path(sys.argv[2]), limits=Limits(processes=50))
run(command, on_stdout=lambda line: print(line.decode(), flush=True))
"""


def service(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """A Recto that runs a command, and the daemon which that has started."""
    argv = (sys.executable, "-c", SERVICE, str(Path(limited.__file__).parent), str(tmp_path), DAEMON)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def guardian_of(pid: int) -> psutil.Process:
    """The one process, of nobody's children, that waits for the end of this one."""
    named = re.compile(rf"recto-{pid}-[0-9a-f]+")
    every = psutil.process_iter(["cmdline"])
    (found,) = [one for one in every if any(map(named.fullmatch, one.info["cmdline"] or ()))]
    return found


@needs_groups
def test_nothing_outlives_a_recto_that_is_killed(tmp_path: Path) -> None:
    recto, daemon = service(tmp_path)
    with recto:
        around = [psutil.Process(daemon), *psutil.Process(recto.pid).children(recursive=True), guardian_of(recto.pid)]
        recto.kill()

        _, left = psutil.wait_procs(around, timeout=30)

    assert left == []
    assert [path for place in PLACES for path in place.directory.glob(f"recto-{recto.pid}-*")] == []


@needs_groups
def test_what_a_killed_recto_left_is_cleared_at_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    recto, daemon = service(tmp_path)
    with recto:
        groups = [path for place in PLACES for path in place.directory.glob(f"recto-{recto.pid}-*")]
        assert groups
        clear(PLACES)
        assert alive(daemon)
        assert all(group.exists() for group in groups)

        guardian_of(recto.pid).kill()
        recto.kill()
    Limiter().keep(python("", cwd=tmp_path, limits=Limits())).__enter__().kill()

    assert not alive(daemon)
    assert not any(group.exists() for group in groups)


@pytest.mark.makes("sandbox-unavailable")
def test_a_group_that_cannot_be_made_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot be made") as caught:
        Group((Place(2, tmp_path / "gone", frozenset({"memory"})),), Limits(memory_bytes=1), start_of_names())

    assert caught.value.problems[0].code == "sandbox-unavailable"


def test_a_limit_that_cannot_be_set_is_a_refusal_and_leaves_nothing(tmp_path: Path) -> None:
    """A directory that is not of a control group file system has no file that takes the limit."""
    with pytest.raises(SandboxError, match=r"memory\.max"):
        Group((Place(2, tmp_path, frozenset({"memory"})),), Limits(memory_bytes=1), start_of_names())

    assert list(tmp_path.iterdir()) == []


@needs_groups
def test_a_command_whose_limits_fail_never_begins(tmp_path: Path) -> None:
    command = python("open('begun', 'w')", cwd=tmp_path, limits=Limits(processes=5))
    with Limiter().keep(command) as keeper:
        for group in left_behind():
            group.rmdir()
        with pytest.raises(SandboxError, match=r"cgroup\.procs"):
            supervise(command, keeper=keeper)

    assert list(tmp_path.iterdir()) == []


@unified
def test_a_group_of_version_2_is_killed_at_once(tmp_path: Path) -> None:
    place = next(place for place in PLACES if place.version == 2)
    group = Group([Place(2, place.directory, frozenset())], Limits(), start_of_names())
    with subprocess.Popen(("/bin/sh", "-c", "trap '' TERM; sleep 600 & wait"), start_new_session=True) as shell:
        group.join(shell.pid)
        assert shell.pid in group.processes()
        group.kill()
        assert group.processes() == frozenset()
    group.close()

    assert shell.returncode == -signal.SIGKILL
    assert left_behind() == []


def test_the_words_of_version_2(tmp_path: Path) -> None:
    """What is written into the files of version 2; the kernel is not asked here."""
    files = ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max")
    for name in files:
        (tmp_path / name).touch()
    place = Place(2, tmp_path, frozenset({"memory", "pids", "cpu"}))

    limit(place, "memory", 5 * MEGABYTE)
    limit(place, "pids", 64)
    limit(place, "cpu", 1.5)

    assert [(tmp_path / name).read_text() for name in files] == ["5000000", "0", "0", "64", "150000 100000"]
