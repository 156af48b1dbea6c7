"""Bubblewrap against real processes: what they see, what they may not, and that none is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from containing import needs_bubblewrap
from recto.problems import SandboxError
from recto.sandbox.base import Command, Limits
from recto.sandbox.bubblewrap import Bubblewrap
from recto.sandbox.identity import Identity
from recto.sandbox.none import NoSandbox
from recto.sandbox.self_test import tried

pytestmark = needs_bubblewrap
SANDBOX = Bubblewrap()
PATH = {"PATH": "/usr/bin:/bin"}

Shell = Callable[..., tuple[int, str]]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    directory = tmp_path / "own"
    directory.mkdir()
    return directory


@pytest.fixture
def shell(own: Path) -> Shell:
    """Runs words of a shell; its status and what it said on both streams."""

    def run(text: str, **more: object) -> tuple[int, str]:
        fields = {"read_only": (), "writable": (own,), "environment": PATH, **more}
        outcome = SANDBOX.run(Command(("/bin/sh", "-c", text), own, **fields))  # type: ignore[arg-type]
        return outcome.code, (outcome.stdout + outcome.stderr).decode()

    return run


def test_every_promise_holds_on_this_machine() -> None:
    assert [promise for promise in tried(SANDBOX) if promise.failure] == []


@pytest.mark.parametrize(("text", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9), ("kill -11 $$", -11)])
def test_a_command_ends_as_it_would_without(shell: Shell, text: str, code: int) -> None:
    assert shell(text)[0] == code


def test_it_sees_its_own_paths_and_the_programs_of_the_system_only(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "file").write_text("content")
    (tmp_path / "secret").write_text("secret")

    _, said = shell(f"cat {tmp_path}/shown/file; ls {tmp_path} / /etc", read_only=(tmp_path / "shown",))

    assert "content" in said
    assert "secret" not in said
    assert not set(said.split()) & {"shadow", "machine-id", "resolv.conf", "home", "srv", "boot"}


def test_what_libraries_look_for_is_readable(shell: Shell) -> None:
    present = [path for path in ("/etc/ssl/certs", "/etc/fonts", "/etc/alternatives") if Path(path).is_dir()]

    code, said = shell(f"ls {' '.join(present)} > /dev/null")

    assert (code, said) == (0, "")


@pytest.mark.parametrize("where", ["/", "/usr", "/usr/bin", "/etc", "/dev", "/var", "/run", "{shown}"])
def test_it_writes_nowhere_but_where_it_may(shell: Shell, tmp_path: Path, where: str) -> None:
    shown = tmp_path / "shown"
    shown.mkdir(mode=0o777)

    code, _ = shell(f"echo x > {where.format(shown=shown)}/planted", read_only=(shown,))

    assert code != 0
    assert list(shown.iterdir()) == []


def test_what_it_writes_in_its_own_directory_stays_and_private_places_do_not(shell: Shell, own: Path) -> None:
    marker = f"recto-{os.getpid()}"

    code, _ = shell(
        f"echo kept > kept; echo x > /tmp/{marker}; echo x > /dev/shm/{marker}; mkdir deep && echo y > deep/y"
    )

    assert code == 0
    assert (own / "kept").read_text() == "kept\n"
    assert (own / "deep" / "y").read_text() == "y\n"
    assert not Path(f"/tmp/{marker}").exists()
    assert not Path(f"/dev/shm/{marker}").exists()


def test_a_path_inside_of_a_readable_one_is_writable_where_it_is_named_so(shell: Shell, tmp_path: Path) -> None:
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)

    code, _ = shell(
        f"echo x > {inner}/made; echo x > {inner.parent}/made",
        read_only=(inner.parent,),
        writable=(tmp_path / "own", inner),
    )

    assert code != 0
    assert [path.name for path in inner.parent.rglob("*")] == ["inner", "made"]


def test_a_readable_path_inside_of_a_writable_one_stays_readable_only(shell: Shell, own: Path) -> None:
    (own / "fixed").mkdir()

    code, _ = shell("echo x > free && echo x > fixed/made", read_only=(own / "fixed",))

    assert code != 0
    assert (own / "free").exists()
    assert list((own / "fixed").iterdir()) == []


def test_a_path_behind_a_link_is_seen_under_both_names(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("content")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    code, said = shell(f"cat {tmp_path}/link/file {tmp_path}/real/file", read_only=(tmp_path / "link",))

    assert (code, said) == (0, "contentcontent")


def test_the_environment_is_exactly_what_was_given(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "planted-in-our-own-environment")

    _, said = shell("cat /proc/*/environ /proc/*/cmdline; env", environment={**PATH, "GIVEN": "Zoë"})

    assert "GIVEN=Zoë" in said
    assert "planted" not in said


def test_what_starts_it_tells_nothing_of_the_machine(shell: Shell, own: Path, tmp_path: Path) -> None:
    _, said = shell("cat /proc/1/cmdline /proc/1/environ | tr '\\0' '\\n'")

    assert str(tmp_path) not in said
    assert "SECRET" not in said


def test_no_descriptor_of_ours_comes_in_but_those_that_are_named(own: Path) -> None:
    read, write = os.pipe()
    try:
        command = Command(
            ("/usr/bin/env", "sh", "-c", "ls /proc/self/fd"),
            own,
            PATH,
            writable=(own,),
            keep_open=(write,),
            leases=(read,),
        )
        seen = {int(name) for name in SANDBOX.run(command).stdout.split()}
    finally:
        os.close(read)
        os.close(write)

    assert write in seen
    # The fourth is the one by which `ls` looks.
    assert len(seen - {0, 1, 2, write}) == 1


def test_a_service_of_the_machine_is_not_reached(own: Path) -> None:
    program = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        command = Command((sys.executable, "-I", "-S", "-c", program, str(port)), own, {}, (*_interpreter(),), (own,))

        outcome = SANDBOX.run(command)

        with pytest.raises(BlockingIOError):
            server.accept()
    assert outcome.code == 1
    assert b"refused" in outcome.stderr


def test_a_loopback_of_its_own_works(own: Path) -> None:
    program = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())\n"
        "server.accept()[0].sendall(b'hello')\n"
        "print(client.recv(5).decode())\n"
    )
    command = Command((sys.executable, "-I", "-S", "-c", program), own, {}, _interpreter(), (own,))

    assert SANDBOX.run(command).stdout == b"hello\n"


def test_files_are_linked_below_a_common_root_and_the_rest_of_it_is_hidden(shell: Shell, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("cache", "staging/mine", "staging/other", "secrets", "base/shown", "base/hidden"):
        (root / name).mkdir(parents=True)
    (root / "secrets" / "file").write_text("secret")
    (root / "loose").write_text("secret")
    (root / "cache" / "wheel").write_text("wheel")

    _, said = shell(
        f"ln {root}/cache/wheel {root}/staging/mine/wheel; ls {root}/staging/other {root}/secrets; cat {root}/loose;"
        f" for p in secrets staging/other base base/shown base/hidden; do echo x > {root}/$p/made && echo wrote; done",
        read_only=(root / "base" / "shown",),
        writable=(tmp_path / "own", root / "cache", root / "staging" / "mine"),
        link_root=root,
    )

    assert (root / "staging" / "mine" / "wheel").stat().st_nlink == 2
    assert "secret" not in said.replace(str(root), "").replace("secrets", "")
    assert list((root / "secrets").iterdir()) == [root / "secrets" / "file"]
    assert list((root / "staging" / "other").iterdir()) == []
    assert "wrote" not in said
    assert sorted(path.name for path in root.rglob("made")) == []


DAEMON = """
import os, signal, sys, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
                signal.signal(number, signal.SIG_IGN)
            os.write(1, b"d")
            os.environ.clear()
            while True:
                signal.pause()
        os._exit(0)
"""


def _interpreter() -> tuple[Path, ...]:
    return tuple(dict.fromkeys([Path(sys.base_prefix), Path(sys.executable).resolve().parents[1], Path(sys.prefix)]))


def _tree(pid: int) -> set[int]:
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


@pytest.mark.parametrize("ending", ["exit", "time", "cancel"])
def test_daemons_die_with_their_command(own: Path, ending: str) -> None:
    rest = {"exit": "", "time": "signal.pause()", "cancel": "signal.pause()"}[ending]
    program = f"{DAEMON}\ntime.sleep(0.2)\n{rest}"
    limits = Limits(wall_seconds=1.0 if ending == "time" else 30.0)
    command = Command((sys.executable, "-I", "-S", "-c", program), own, {}, _interpreter(), (own,), limits=limits)
    seen: set[int] = set()

    def cancelled() -> bool:
        seen.update(_tree(os.getpid()))
        return ending == "cancel" and len(seen) >= 5

    SANDBOX.run(command, cancelled=cancelled)

    assert not [pid for pid in seen if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


OUTER = """
import sys
from pathlib import Path
from recto.sandbox.base import Command
from recto.sandbox.bubblewrap import Bubblewrap
own = Path(sys.argv[1])
roots = tuple(map(Path, sys.argv[3:]))
command = Command((sys.executable, "-I", "-S", "-c", sys.argv[2]), own, {}, roots, (own,))
Bubblewrap().run(command, on_stdout=lambda line: print(line.decode(), flush=True))
"""


def test_the_whole_tree_dies_when_we_are_killed(own: Path) -> None:
    program = f"{DAEMON}\ntime.sleep(0.2)\nprint('ready', flush=True)\nsignal.pause()"
    outer = subprocess.Popen(
        [sys.executable, "-c", OUTER, str(own), program, *map(str, _interpreter())], stdout=subprocess.PIPE, text=True
    )
    assert outer.stdout is not None
    assert outer.stdout.readline().endswith("ready\n")
    tree = [psutil.Process(pid) for pid in _tree(outer.pid)]
    assert len(tree) >= 6

    outer.kill()
    outer.wait()
    outer.stdout.close()

    _, alive = psutil.wait_procs(tree, timeout=10)
    assert alive == []


@pytest.mark.parametrize("missing", ["program", "path", "bwrap", "rules"])
def test_what_cannot_be_contained_is_not_run(own: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = own / "ran"
    command = Command(("/usr/bin/touch", str(marker)), own, PATH, writable=(own,))
    sandbox = SANDBOX
    if missing == "bwrap":
        sandbox = Bubblewrap(path=str(own))
    if missing == "path":
        command = Command(command.argv, own, PATH, read_only=(own / "absent",), writable=(own,))
    if missing == "rules":
        monkeypatch.setattr("os.uname", lambda: os.uname_result(("", "", "", "", "pdp11")))
    if missing == "program":
        with pytest.raises(FileNotFoundError):
            sandbox.run(Command((str(own / "absent"),), own, PATH, writable=(own,)))
        return

    with pytest.raises(SandboxError) as caught:
        sandbox.run(command)

    assert caught.value.problems[0].code == "sandbox-unavailable"
    assert not marker.exists()


def test_it_is_never_root(shell: Shell) -> None:
    _, said = shell("id -u; id -G; grep -E '^(CapEff|CapPrm|CapBnd|CapAmb)' /proc/self/status; whoami")

    number, groups, *capabilities, name = said.splitlines()
    assert number != "0"
    assert groups == number
    assert {line.split()[1] for line in capabilities} == {"0" * 16}
    assert name == "sandbox"


def test_root_gives_what_may_be_written_to_the_user_that_it_becomes(own: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root becomes somebody else")
    outside = tmp_path / "outside"
    outside.write_text("x")
    (own / "deep").mkdir()
    (own / "deep" / "file").write_text("x")
    (own / "link").symlink_to(outside)

    SANDBOX.run(Command(("/bin/true",), own, PATH, writable=(own,)))

    assert (own / "deep" / "file").stat().st_uid == Identity.here().number
    assert outside.stat().st_uid == 0


def test_a_suid_program_gives_no_rights(shell: Shell) -> None:
    code, said = shell("su -c id || true; mount -t tmpfs none /tmp; chroot / id; unshare -Ur id; nsenter -t 1 -a id")

    assert code != 0
    assert "uid=0" not in said


def test_a_signal_reaches_nobody_outside(shell: Shell) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        shell(f"kill -9 {other.pid}; kill -9 -1")
        alive = other.poll() is None
        other.kill()

    assert alive


def test_standard_input_and_lines_come_through(own: Path) -> None:
    lines: list[bytes] = []
    command = Command(("/bin/cat",), own, PATH, writable=(own,), stdin=b"one\ntwo\n")

    outcome = SANDBOX.run(command, on_stdout=lines.append)

    assert outcome.succeeded
    assert lines == [b"one", b"two"]


def test_a_signal_that_ends_bubblewrap_itself_is_an_outcome(own: Path) -> None:
    command = Command(("/bin/sleep", "60"), own, PATH, writable=(own,))

    def cancelled() -> bool:
        for child in psutil.Process().children():
            if child.name() == "bwrap":
                child.send_signal(signal.SIGKILL)
        return False

    outcome = SANDBOX.run(command, cancelled=cancelled)

    assert (outcome.code, outcome.stop) == (-signal.SIGKILL, "exited")


def test_the_probe_says_what_a_mechanism_without_promises_lets_through() -> None:
    broken = {promise.name for promise in tried(NoSandbox()) if promise.failure}

    assert {"files", "network", "memory", "processes"} <= broken


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert [child for child in psutil.Process().children() if child.name() == "bwrap"] == []
