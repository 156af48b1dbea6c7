"""What Landlock keeps a real command from, with the same attempt uncontained beside it."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from landlock_fixtures import Control, Run, control, landlock, place, run

from containing import IS_ROOT, PLAIN, PYTHON
from recto.problems import SandboxError
from recto.sandbox.base import Command, Limits
from recto.sandbox.identity import Identity
from recto.sandbox.landlock import Landlock
from recto.sandbox.landlock.ruleset import LEAST_VERSION, require_version
from recto.sandbox.none import NoSandbox
from recto.sandbox.process_tree import MARK

__all__ = ["control", "landlock", "place", "run"]

# Prints what a line of Python gives, or the name of the error that it raises.
TRY = """
import errno, os, sys, socket, ctypes, signal
try:
    print({expression})
except OSError as error:
    print(errno.errorcode[error.errno])
"""
# As badly behaved as one can be: no environment, own session, no parent, deaf to what one can be deaf to.
DAEMON = """
import os, signal, sys
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        for stream in (0, 1, 2):
            os.close(stream)
        os.write(writer, str(os.getpid()).encode())
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", "while True: __import__('signal').pause()"], {})
    os._exit(0)
os.wait()
print(os.read(reader, 20).decode(), flush=True)
"""


def attempt(expression: str) -> str:
    """The code that tries it."""
    return TRY.format(expression=expression)


def said(run: Run, expression: str, *arguments: object, **more: object) -> str:
    """What the contained attempt prints."""
    outcome = run(attempt(expression), *arguments, **more)
    assert outcome.code == 0, outcome.stderr.decode()
    return str(outcome.stdout.decode().strip())


def alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    "expression",
    [
        "open(sys.argv[1] + '/hidden/marker').read()",
        "os.listdir(sys.argv[1] + '/hidden')",
        "open(sys.argv[1] + '/hidden/new', 'w').close()",
        "os.rename(sys.argv[1] + '/hidden/marker', sys.argv[1] + '/hidden/other')",
        "os.link(sys.argv[1] + '/hidden/marker', 'mine')",
        "open(sys.argv[1] + '/shown/marker', 'a').close()",
        "os.truncate(sys.argv[1] + '/shown/marker', 0)",
        "os.unlink(sys.argv[1] + '/shown/marker')",
        "os.mkdir(sys.argv[1] + '/shown/new')",
        "os.symlink('/', sys.argv[1] + '/shown/link')",
        "os.link(sys.argv[1] + '/shown/marker', 'mine')",
        "open('/etc/passwd').read()",
        "os.listdir('/')",
        "os.listdir('/tmp')",
        "open('/proc/self/comm', 'w').close()",
        "os.listdir('/dev/shm')",
        "open('/dev/shm/recto-test-' + str(os.getpid()), 'x').close()",
    ],
)
def test_other_files_are_kept_from_it(run: Run, control: Control, place: Path, expression: str) -> None:
    contained = said(run, expression, place)
    uncontained = control(attempt(expression), place).strip()

    # A hard link into another directory needs rights in both, which is told as another file system is.
    assert contained in ("EACCES", "EXDEV")
    assert uncontained not in ("EACCES", "EXDEV")
    for left in Path("/dev/shm").glob("recto-test-*"):
        left.unlink()


def test_its_own_files_are_its_own(run: Run, place: Path) -> None:
    code = """
import os, sys
os.mkdir("a"); os.mkdir("b")
open("a/one", "w").write("content")
os.rename("a/one", "b/two")
os.link("b/two", "a/three")
os.symlink("three", "a/link")
os.mkfifo("pipe")
os.truncate("a/link", 3)
print(open("b/two").read(), open(sys.argv[1] + "/shown/marker").read())
os.unlink("b/two"); os.rmdir("b")
open("/dev/null", "w").write("x")
print(len(open("/dev/urandom", "rb").read(8)), open("/proc/meminfo").read(3))
"""

    outcome = run(code, place)

    assert outcome.stdout == b"con the shown marker\n8 Mem\n", outcome.stderr
    assert sorted(path.name for path in (place / "work").iterdir()) == ["a", "marker", "pipe"]


FAMILIES = {"AF_INET": 1, "AF_INET6": 2, "AF_VSOCK": 1}


@pytest.mark.parametrize("family", FAMILIES)
def test_no_network_can_be_reached(run: Run, control: Control, family: str) -> None:
    expression = f"socket.socket(socket.{family}, {FAMILIES[family]}).family.name"

    assert said(run, expression) == "EPERM"
    assert control(attempt(expression)).strip() == family


def test_with_the_hosts_network_it_reaches_the_host(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        expression = "socket.create_connection(('127.0.0.1', int(sys.argv[1]))).family.name"
        port = server.getsockname()[1]

        assert said(run, expression, port, network="host") == "AF_INET"


@pytest.mark.parametrize("family", ["AF_UNIX", "AF_NETLINK"])
def test_kernels_have_the_sockets_that_they_need(run: Run, family: str) -> None:
    assert said(run, f"socket.socket(socket.{family}, socket.SOCK_DGRAM).family.name") == family


def test_abstract_sockets_of_others_are_out_of_reach(run: Run, control: Control) -> None:
    name = f"recto-test-{os.getpid()}"
    expression = "socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[1])"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{name}")
        server.listen()

        assert said(run, expression, name) == "EPERM"
        assert control(attempt(expression), name).strip() == "None"


def test_sockets_with_a_path_are_not_kept_from_it(run: Run, place: Path) -> None:
    """Not wanted, but so: the docstring of the mechanism says it."""
    path = place / "hidden" / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0o777)

        assert said(run, "socket.socket(socket.AF_UNIX).connect(sys.argv[1])", path) == "None"


def test_processes_are_listed_with_their_arguments(run: Run) -> None:
    """Not wanted, but so: the docstring of the mechanism says it, and what hides them."""
    ours = Path("/proc/self/cmdline").read_bytes()

    assert said(run, "open(f'/proc/{sys.argv[1]}/cmdline', 'rb').read().hex()", os.getpid()) == ours.hex()


@pytest.mark.parametrize(
    "expression",
    [
        "os.kill(int(sys.argv[1]), signal.SIGCONT)",
        "os.pidfd_open(int(sys.argv[1])) and signal.pidfd_send_signal(os.pidfd_open(int(sys.argv[1])), signal.SIGCONT)",
        "open(f'/proc/{sys.argv[1]}/environ').read() and None",
        "open(f'/proc/{sys.argv[1]}/maps').read() and None",
        "open(f'/proc/{sys.argv[1]}/mem', 'rb').close()",
        "os.readlink(f'/proc/{sys.argv[1]}/fd/0') and None",
        "open(f'/proc/{sys.argv[1]}/fd/0').close()",
        "os.listdir(f'/proc/{sys.argv[1]}/root') and None",
        "os.listdir(f'/proc/{sys.argv[1]}/cwd/usr') and None",
        "__import__('resource').prlimit(int(sys.argv[1]), 7, (99, 99)) and None",
        "os.setpriority(os.PRIO_PROCESS, int(sys.argv[1]), 19)",
    ],
)
def test_other_processes_of_the_same_user_are_kept_from_it(run: Run, control: Control, expression: str) -> None:
    become = {"user": PLAIN, "group": PLAIN, "extra_groups": []} if IS_ROOT else {}
    with subprocess.Popen(["/bin/sleep", "60"], env={"SECRET": "x"}, cwd="/", **become) as other:  # type: ignore[call-overload]
        try:
            assert said(run, expression, other.pid) in ("EPERM", "EACCES")
            assert control(attempt(expression), other.pid).strip() == "None"
        finally:
            other.kill()


def test_it_is_no_root_and_cannot_become_it(run: Run) -> None:
    code = """
import ctypes, os
libc = ctypes.CDLL(None)
held = (ctypes.c_uint32 * 6)()
libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), held)
# PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP.
print(os.getresuid(), os.getresgid(), os.getgroups(), list(held), libc.prctl(39, 0, 0, 0, 0), libc.prctl(21))
"""
    groups = [] if IS_ROOT else os.getgroups()

    said = run(code).stdout.decode().strip()

    assert said == f"{(PLAIN,) * 3} {(PLAIN,) * 3 if IS_ROOT else os.getresgid()} {groups} {[0] * 6} 1 2"


def test_its_environment_is_what_was_given_and_the_mark(run: Run) -> None:
    given = {"NAME": "Zoë", "PATH": "/nowhere", "EMPTY": ""}

    outcome = run("", argv=("/usr/bin/env", "-0"), environment=given)

    seen = dict(entry.split("=", 1) for entry in outcome.stdout.decode().split("\0") if entry)
    assert len(seen.pop(MARK)) == 32
    assert seen == given


def test_the_mark_of_an_outer_run_is_kept(run: Run) -> None:
    outcome = run("", argv=("/usr/bin/printenv", MARK), environment={MARK: "outer"})

    assert outcome.stdout.startswith(b"outer:")


def test_nothing_of_the_command_is_in_the_launchers_arguments_or_environment(run: Run) -> None:
    seen: list[bytes] = []

    def look(line: bytes) -> None:
        seen.extend(Path(f"/proc/{int(line)}/{name}").read_bytes() for name in ("cmdline", "environ"))

    code = "import os, time; print(os.getppid(), flush=True); time.sleep(60)"
    outcome = run(
        code,
        "secret-argument",
        environment={"S": "secret"},
        observe={"on_stdout": look, "cancelled": lambda: bool(seen)},
    )

    assert outcome.stop == "cancelled"
    assert b"launcher.py" in seen[0]
    assert b"secret" not in b"".join(seen)
    assert seen[1].startswith(MARK.encode() + b"=")
    assert seen[1].count(b"\0") == 1


def test_what_ends_it_is_told(run: Run) -> None:
    assert run("import sys; sys.exit(3)").code == 3
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGPIPE, signal.SIGUSR2):
        assert run("", argv=("/bin/sh", "-c", f"kill -{int(number)} $$")).code == -number
    assert run("import sys; sys.stdout.write(sys.stdin.read())", stdin=b"given").stdout == b"given"


def test_a_program_that_is_not_there_or_not_shown_cannot_be_run(run: Run, place: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing-like-this"):
        run("", argv=("/usr/bin/nothing-like-this",))
    hidden = place / "hidden" / "program"
    hidden.write_text("#!/bin/sh\n")
    hidden.chmod(0o755)
    with pytest.raises(PermissionError, match="program"):
        run("", argv=(str(hidden),))


def test_a_daemon_ends_with_the_command(run: Run, place: Path) -> None:
    contained = int(run(DAEMON).stdout)
    free = int(NoSandbox().run(Command((PYTHON, "-I", "-S", "-c", DAEMON), place / "work", {})).stdout)

    try:
        assert not alive(contained)
        # Without containment it gets away, so it is one that can.
        assert alive(free)
    finally:
        os.kill(free, signal.SIGKILL)


def test_a_daemon_ends_when_time_is_up(run: Run) -> None:
    outcome = run(DAEMON + "\nimport time; time.sleep(60)", limits=Limits(wall_seconds=1.5))

    assert outcome.stop == "timed-out"
    assert not alive(int(outcome.stdout))


# Forks and ends, again and again, each time in a session of its own and without an environment; some seconds long.
RUNNER = """
import os, sys, time
until = time.monotonic() + 8
reader, writer = os.pipe()
if os.fork() == 0:
    for stream in (0, 1, 2):
        os.close(stream)
    step = 0
    while time.monotonic() < until:
        if os.fork():
            os._exit(0)
        os.setsid()
        step += 1
        if step == 20:
            os.write(writer, b"running")
    os._exit(0)
os.read(reader, 7)
print("started", flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def held() -> Iterator[tuple[int, Callable[[], bool]]]:
    """A descriptor to inherit, and whether anybody but us still has it."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def by_others() -> bool:
        os.close(writer)
        try:
            return os.read(reader, 1) != b""
        except BlockingIOError:
            return True

    yield writer, by_others
    os.close(reader)


@pytest.mark.parametrize("seconds", [0, 60], ids=["at its end", "when time is up"])
def test_what_runs_away_from_its_end_is_caught(run: Run, held: tuple[int, Callable[[], bool]], seconds: int) -> None:
    descriptor, by_others = held

    outcome = run(RUNNER, seconds, keep_open=(descriptor,), limits=Limits(wall_seconds=2.5 if seconds else None))

    assert (outcome.stop, outcome.stdout) == ("timed-out" if seconds else "exited", b"started\n")
    assert not by_others()


def test_uncontained_it_is_not_caught(held: tuple[int, Callable[[], bool]], place: Path) -> None:
    descriptor, by_others = held

    subprocess.run((PYTHON, "-I", "-S", "-c", RUNNER, "0"), env={}, cwd=place, check=True, pass_fds=(descriptor,))

    assert by_others()


def test_a_lease_is_not_in_the_commands_hands(run: Run, place: Path) -> None:
    with (place / "lease").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        descriptor = file.fileno()

        assert said(run, "os.fstat(int(sys.argv[1])).st_size", descriptor, leases=(descriptor,)) == "EBADF"
        assert said(run, "os.fstat(int(sys.argv[1])).st_size", descriptor, keep_open=(descriptor,)) == "0"


SERVICE = """
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from recto.sandbox.base import Command
from recto.sandbox.identity import Identity
from recto.sandbox.landlock import Landlock
python, work, user, code = sys.argv[1:]
sandbox = Landlock(Identity.here(int(user)))
argv = (python, "-I", "-S", "-c", code + "\\nimport time; time.sleep(60)")
command = Command(argv, Path(work), {}, writable=(Path(work),))
sandbox.run(command, on_stdout=lambda line: print(line.decode(), flush=True))
"""


def test_everything_ends_when_the_service_is_killed(landlock: Landlock, place: Path) -> None:
    user = str(PLAIN) if IS_ROOT else "0"
    service = (sys.executable, "-c", SERVICE, PYTHON, str(place / "work"), user, DAEMON)
    with subprocess.Popen(service, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        daemon = psutil.Process(int(started.stdout.readline()))
        tree = psutil.Process(started.pid).children(recursive=True)
        started.kill()

    # Whoever waits outside, the command, the daemon, which has come back to the former, and the guardian of groups.
    assert len(tree) >= 3
    assert daemon in tree
    assert not psutil.wait_procs(tree, timeout=10)[1]


def test_a_descriptor_of_the_command_is_nobody_elses(run: Run) -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    heard: list[bytes] = []
    code = """
import os, sys, time
descriptor = int(sys.argv[1])
os.write(descriptor, b"hello"); os.close(descriptor)
print("closed", flush=True)
time.sleep(60)
"""

    with ours:
        descriptor = theirs.detach()

        def listen(line: bytes) -> None:
            os.close(descriptor)
            heard.extend((line, ours.recv(5), ours.recv(1)))

        observe: dict[str, object] = {"on_stdout": listen, "cancelled": lambda: bool(heard)}
        run(code, descriptor, keep_open=(descriptor,), observe=observe)

    assert heard == [b"closed", b"hello", b""]


def test_limits_are_in_force_and_said(run: Run) -> None:
    limits = Limits(
        memory_bytes=300_000_000,
        processes=4000,
        cpu_seconds=50,
        open_files=64,
        file_bytes=1_000_000,
        disk_bytes=50_000_000,
    )
    code = """
import resource as r
for name in ("CPU", "NOFILE", "FSIZE", "CORE"):
    print(name, r.getrlimit(getattr(r, "RLIMIT_" + name))[0], flush=True)
try:
    bytearray(400_000_000)
    print("had it")
except MemoryError:
    pass
"""

    outcome = run(code, limits=limits)

    soft = {"CPU": 50, "NOFILE": 64, "FSIZE": 1_000_000, "CORE": 0}
    assert outcome.stdout.decode().splitlines() == [f"{name} {value}" for name, value in soft.items()]
    # By groups where they can be made, else each process by itself.
    assert outcome.memory_kills == 1 or outcome.tiers["memory"] == "process"
    assert set(outcome.tiers) >= {"memory", "processes", "disk"}


def test_shared_memory_of_the_machine_is_not_there(run: Run, control: Control) -> None:
    # IPC_PRIVATE, one page; removed at once where it is made.
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
made = libc.shmget(0, 4096, 0o600)
print(made >= 0 or ctypes.get_errno())
made >= 0 and libc.shmctl(made, 0, None)
"""

    assert run(code).stdout == b"1\n"
    assert control(code) == "True\n"


def test_what_cannot_be_kept_is_refused(run: Run, landlock: Landlock, place: Path) -> None:
    (place / "work" / "link").symlink_to(place / "hidden")
    inner = place / "work" / "inner"
    inner.mkdir()

    with pytest.raises(SandboxError, match="Building needs bubblewrap"):
        run("", network="index")
    with pytest.raises(SandboxError, match="inner` is to be read-only and lies in"):
        run("", read_only=(inner,))
    with pytest.raises(SandboxError, match=r"work/link` cannot be contained .*no link"):
        run("", writable=(place / "work" / "link",))
    with pytest.raises(SandboxError, match="/absent` is not there"):
        run("", read_only=(place / "absent",))


@pytest.mark.parametrize("version", range(LEAST_VERSION))
def test_a_kernel_that_cannot_keep_everything_is_refused(version: int) -> None:
    with pytest.raises(SandboxError, match=r"Linux 6\.12 or newer"):
        require_version(version)


def test_the_least_version_is_enough() -> None:
    require_version(LEAST_VERSION)


@pytest.mark.parametrize(
    "identity", [Identity(0, dropped=True), Identity(0, dropped=False), Identity(PLAIN, dropped=False)]
)
@pytest.mark.skipif(not IS_ROOT, reason="only root can run a command as root")
def test_root_has_to_name_a_plain_user(identity: Identity) -> None:
    with pytest.raises(SandboxError, match="must not run as root"):
        Landlock(identity)
