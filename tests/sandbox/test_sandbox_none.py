"""NoSandbox against real processes."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import tracemalloc
from pathlib import Path

import psutil
import pytest

from recto.sandbox.base import Command, Limits
from recto.sandbox.none import NoSandbox
from recto.sandbox.process_tree import MARK

SANDBOX = NoSandbox()

# A daemon as badly behaved as one can be without dropping its environment: own session, no parent, deaf to SIGTERM.
# It writes its process id once its handlers are set, then waits for ever.
DAEMON = """
import os, signal, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        with open(sys.argv[1], "w") as ready:
            ready.write(str(os.getpid()))
        while True:
            signal.pause()
    os._exit(0)
with open(sys.argv[1]) as ready:
    print(ready.read(), flush=True)
os.wait()
"""


def python(code: str, *arguments: str, tmp_path: Path, **more: object) -> Command:
    """The command that runs this code in an isolated interpreter, without an environment."""
    base = Command((sys.executable, "-I", "-S", "-c", code, *arguments), tmp_path, {})
    fields = {name: getattr(base, name) for name in Command.__struct_fields__}
    return Command(**{**fields, **more})


def alive(pid: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_command_gives_its_code_and_both_streams(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    outcome = SANDBOX.run(python(code, tmp_path=tmp_path))

    assert (outcome.code, outcome.stop, outcome.stdout, outcome.stderr) == (3, "exited", b"out\n", b"err\n")
    assert not outcome.succeeded


def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    outcome = SANDBOX.run(python("import os; os.kill(os.getpid(), 9)", tmp_path=tmp_path))

    assert (outcome.code, outcome.stop) == (-signal.SIGKILL, "exited")


def test_the_environment_is_what_was_given_and_the_mark(tmp_path: Path) -> None:
    given = {"PATH": "/nowhere", "NAME": "Zoë"}
    command = Command(("/usr/bin/env", "-0"), tmp_path, given)

    outcome = SANDBOX.run(command)

    seen = dict(entry.split("=", 1) for entry in outcome.stdout.decode().split("\0") if entry)
    assert len(seen.pop(MARK)) == 32
    assert seen == given


def test_the_mark_of_an_outer_run_is_kept(tmp_path: Path) -> None:
    outcome = SANDBOX.run(Command(("/usr/bin/printenv", MARK), tmp_path, {MARK: "outer"}))

    assert outcome.stdout.startswith(b"outer:")


def test_the_command_runs_in_its_directory_without_a_shell(tmp_path: Path) -> None:
    outcome = SANDBOX.run(python("import os, sys; print(os.getcwd(), sys.argv[1:])", "$HOME; ls *", tmp_path=tmp_path))

    assert outcome.stdout.decode() == f"{tmp_path.resolve()} ['$HOME; ls *']\n"


def test_stdin_is_written_whole_while_output_is_read(tmp_path: Path) -> None:
    sent = bytes(range(256)) * 8192
    code = "import sys; [sys.stdout.buffer.write(c) for c in iter(lambda: sys.stdin.buffer.read(4096), b'')]"

    outcome = SANDBOX.run(python(code, tmp_path=tmp_path, stdin=sent))

    assert outcome.stdout == sent


def test_stdin_is_empty_unless_given(tmp_path: Path) -> None:
    assert SANDBOX.run(Command(("/bin/cat",), tmp_path, {})).stdout == b""


def test_a_command_that_closes_its_input_unread_is_no_error(tmp_path: Path) -> None:
    outcome = SANDBOX.run(Command(("/bin/true",), tmp_path, {}, stdin=b"x" * 1_000_000))

    assert outcome.succeeded


def test_lines_arrive_in_order_without_newlines_and_the_last_one_too(tmp_path: Path) -> None:
    out: list[bytes] = []
    err: list[bytes] = []
    code = "import sys; print('one\\n\\nthree', end=''); print('warn', file=sys.stderr)"

    SANDBOX.run(python(code, tmp_path=tmp_path), on_stdout=out.append, on_stderr=err.append)

    assert out == [b"one", b"", b"three"]
    assert err == [b"warn"]


def test_a_line_without_end_is_handed_on_cut(tmp_path: Path) -> None:
    out: list[bytes] = []

    SANDBOX.run(python("print('x' * 1_000_000); print('y')", tmp_path=tmp_path), on_stdout=out.append)

    assert [len(line) for line in out] == [65_536, 1]


def test_a_command_that_prints_300_megabytes_neither_blocks_nor_fills_the_memory(tmp_path: Path) -> None:
    command = Command(("/bin/sh", "-c", "echo first; head -c 300000000 /dev/zero; echo; echo last"), tmp_path, {})
    tracemalloc.start()
    try:
        outcome = SANDBOX.run(command)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert outcome.succeeded
    assert outcome.stdout.startswith(b"first\n")
    assert outcome.stdout.endswith(b"\nlast\n")
    assert b"\n[... 296000012 bytes left out ...]\n" in outcome.stdout
    assert len(outcome.stdout) < 4_000_100
    assert peak < 30_000_000


def test_a_time_limit_ends_the_command(tmp_path: Path) -> None:
    command = python("import time; time.sleep(600)", tmp_path=tmp_path, limits=Limits(wall_seconds=0.3))

    outcome = SANDBOX.run(command)

    assert (outcome.code, outcome.stop) == (-signal.SIGTERM, "timed-out")


def test_a_command_asked_to_end_may_clean_up_and_say_so(tmp_path: Path) -> None:
    code = (
        "import signal, sys\n"
        "def end(*_): print('cleaned'); sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n"
    )
    seen: list[bytes] = []

    outcome = SANDBOX.run(python(code, tmp_path=tmp_path), on_stdout=seen.append, cancelled=lambda: b"ready" in seen)

    assert (outcome.code, outcome.stop, outcome.stdout) == (1, "cancelled", b"ready\ncleaned\n")


def test_a_command_deaf_to_the_polite_signal_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n"
    )
    seen: list[bytes] = []

    outcome = SANDBOX.run(python(code, tmp_path=tmp_path), on_stdout=seen.append, cancelled=lambda: b"ready" in seen)

    assert (outcome.code, outcome.stop) == (-signal.SIGKILL, "cancelled")


def test_a_deaf_daemon_in_its_own_session_is_gone_when_run_returns(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)

    outcome = SANDBOX.run(python(DAEMON, str(ready), tmp_path=tmp_path))

    assert outcome.succeeded
    assert not alive(int(outcome.stdout))


@pytest.mark.parametrize("limits", [Limits(wall_seconds=1.0), Limits()])
def test_a_deaf_daemon_is_gone_after_a_time_out_or_a_cancellation(tmp_path: Path, limits: Limits) -> None:
    code = DAEMON + "signal.pause()"
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    seen: list[bytes] = []

    outcome = SANDBOX.run(
        python(code, str(ready), tmp_path=tmp_path, limits=limits),
        on_stdout=seen.append,
        cancelled=lambda: bool(seen) and limits.wall_seconds is None,
    )

    assert outcome.stop == ("cancelled" if limits.wall_seconds is None else "timed-out")
    assert not alive(int(seen[0]))


def test_a_child_without_environment_is_found_by_its_parents(tmp_path: Path) -> None:
    code = (
        "import subprocess\n"
        "child = subprocess.Popen(['/bin/sleep', '600'], env={}, start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    seen: list[bytes] = []

    SANDBOX.run(python(code, tmp_path=tmp_path), on_stdout=seen.append, cancelled=lambda: bool(seen))

    assert not alive(int(seen[0]))


def test_no_process_is_left_when_a_line_callback_raises(tmp_path: Path) -> None:
    seen: list[int] = []

    def refuse(line: bytes) -> None:
        seen.append(int(line))
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        SANDBOX.run(
            python("import os, time; print(os.getpid(), flush=True); time.sleep(600)", tmp_path=tmp_path),
            on_stdout=refuse,
        )

    assert not psutil.pid_exists(seen[0])


def test_a_lease_is_held_by_the_child_that_inherits_it(tmp_path: Path) -> None:
    lease = tmp_path / "lease"
    code = (
        "import fcntl, os, sys\n"
        "os.fstat(int(sys.argv[1]))\n"
        "with open(sys.argv[2]) as other:\n"
        "    try: fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "    except BlockingIOError: print('held')\n"
    )
    descriptor = os.open(lease, os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    command = python(code, str(descriptor), str(lease), tmp_path=tmp_path, keep_open=(descriptor,))

    outcome = SANDBOX.run(command, on_stdout=lambda line: os.close(descriptor))

    assert outcome.stdout == b"held\n"


def test_descriptors_that_are_not_named_are_closed_in_the_child(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        outcome = SANDBOX.run(Command(("/bin/ls", f"/proc/self/fd/{descriptor}/"), tmp_path, {}))
    finally:
        os.close(descriptor)

    assert outcome.code == 2


def test_a_program_that_is_not_there_is_a_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SANDBOX.run(Command((str(tmp_path / "absent"),), tmp_path, {}))


def test_a_program_that_may_not_be_run_is_a_permission_error(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")

    with pytest.raises(PermissionError):
        SANDBOX.run(Command((str(plain),), tmp_path, {}))


def test_a_run_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(3):
        SANDBOX.run(Command(("/bin/cat",), tmp_path, {}, stdin=b"text"))

    assert len(list(Path("/proc/self/fd").iterdir())) == before
