"""Limits of each process by itself, where no control group can be made: a plain user."""

from __future__ import annotations

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import limited
from limited import MEGABYTE, alive, python, run
from recto.sandbox.base import Command, Limits
from recto.sandbox.limits.rlimits import restrict

# Users that run nothing else here, one for each test, so that their processes can be counted.
USERS = itertools.count(61_234)

RUN = """
import json, os, sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
import limited
from limited import run
from recto.sandbox.base import Command, Limits
from recto.sandbox.limits.hierarchies import places
os.setgroups([])
os.setresgid(*[int(sys.argv[2])] * 3)
os.setresuid(*[int(sys.argv[2])] * 3)
argv = ("/usr/bin/python3", "-I", "-S", "-c", sys.argv[3])
outcome = run(Command(argv, Path.cwd(), {}, writable=(Path.cwd(),), limits=Limits(**json.loads(sys.argv[4]))))
said = [outcome.code, outcome.stop, outcome.stdout.decode(), outcome.stderr.decode(), dict(outcome.tiers)]
print(json.dumps([len(places()), *said]))
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that the plain user may write; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        uid = next(USERS)
        os.chown(name, uid, uid)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="there is no interpreter that every user may run")
class TestAPlainUser:
    """Everything about control groups is refused to it."""

    def outcome(self, directory: Path, code: str, **limits: float) -> tuple[int, str, str, str, dict[str, str]]:
        argv = (
            sys.executable,
            "-c",
            RUN,
            str(Path(limited.__file__).parent),
            str(directory.stat().st_uid),
            code,
            json.dumps(limits),
        )
        ran = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        places, *found = json.loads(ran.stdout)
        assert places == 0
        return tuple(found)

    def test_memory_is_limited_by_process(self, directory: Path) -> None:
        code, stop, _, said, tiers = self.outcome(directory, "bytearray(400_000_000)", memory_bytes=60 * MEGABYTE)

        assert (code, stop, tiers) == (1, "exited", {"memory": "process"})
        assert said.rstrip().endswith("MemoryError")

    def test_address_space_is_not_memory(self, directory: Path) -> None:
        """Deno, so Quarto, reserves 48 GiB of it."""
        reserve = "import mmap; mmap.mmap(-1, 48 << 30, prot=0, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"

        code, _, _, said, _ = self.outcome(directory, reserve, memory_bytes=200 * MEGABYTE)

        assert (code, said) == (0, "")

    def test_processes_are_counted_over_the_user(self, directory: Path) -> None:
        bomb = (
            "import os, signal\n"
            "count = 0\n"
            "try:\n"
            "    while True:\n"
            "        if os.fork() == 0: signal.pause()\n"
            "        count += 1\n"
            "except BlockingIOError: print(count, flush=True)\n"
        )

        code, stop, said, _, tiers = self.outcome(directory, bomb, processes=40)

        assert (code, stop, tiers) == (0, "exited", {"processes": "process"})
        # The command itself is one of them.
        assert int(said) == 39
        # Whoever ended stays listed until its new parent has asked.
        assert not [
            one
            for one in psutil.process_iter(["uids"])
            if one.info["uids"].real == directory.stat().st_uid and alive(one.pid)
        ]

    def test_processors_are_not_limited_and_that_is_said(self, directory: Path) -> None:
        assert self.outcome(directory, "", cpus=1.0)[4] == {"cpus": "none"}

    @pytest.mark.parametrize("mode", ["0", "0o400", "0o100", "0o200"])
    @pytest.mark.parametrize("closed", [".", "closed", "closed/below"])
    def test_a_directory_that_the_command_closes_cannot_hide_what_is_in_it(
        self, directory: Path, mode: str, closed: str
    ) -> None:
        code = (
            "import os\n"
            "os.makedirs('closed/below')\n"
            "for number in range(30): open(f'closed/below/{number}', 'wb').write(bytes(100_000))\n"
            f"os.chmod({closed!r}, {mode})\n"
        )

        try:
            assert self.outcome(directory, code, disk_bytes=MEGABYTE)[1] == "disk-limit"
        finally:
            directory.chmod(0o700)

    def test_its_own_limits_are_not_raised(self, directory: Path) -> None:
        show = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"

        _, _, said, _, _ = self.outcome(directory, show, open_files=1 << 40)

        assert int(said.split()[1]) == resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def test_root_is_not_held_by_a_count_of_its_processes_and_that_is_said() -> None:
    with subprocess.Popen(("/bin/cat",), stdin=subprocess.PIPE) as waiting:
        tiers = restrict(waiting.pid, Limits(processes=5), {}, 0)
        nproc = resource.prlimit(waiting.pid, resource.RLIMIT_NPROC)

    assert tiers == {"processes": "none"}
    assert nproc[0] >= 5


def test_a_processor_burner_ends(tmp_path: Path) -> None:
    outcome = run(python("while True: pass", cwd=tmp_path, limits=Limits(cpu_seconds=1)))

    assert (outcome.code, outcome.stop) == (-signal.SIGXCPU, "exited")


def test_a_processor_burner_deaf_to_the_signal_is_killed(tmp_path: Path) -> None:
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"

    outcome = run(python(code, cwd=tmp_path, limits=Limits(cpu_seconds=1)))

    assert outcome.code == -signal.SIGKILL
    assert not outcome.out_of_memory


def test_open_files_are_limited(tmp_path: Path) -> None:
    code = "try: kept = [open('/dev/null') for _ in range(100)]\nexcept OSError as error: print(error.errno)\n"

    assert run(python(code, cwd=tmp_path, limits=Limits(open_files=32))).stdout == b"24\n"


def test_no_core_is_ever_written(tmp_path: Path) -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"

    assert run(python(code, cwd=tmp_path, limits=Limits())).stdout == b"(0, 0)\n"


@pytest.mark.parametrize("stdin", [b"", b"first\nsecond\n", bytes(range(256)) * 1000])
def test_the_command_gets_its_input_whole(tmp_path: Path, stdin: bytes) -> None:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"

    assert run(python(code, cwd=tmp_path, limits=Limits(), stdin=stdin)).stdout == stdin


def test_the_environment_and_the_words_arrive_unchanged(tmp_path: Path) -> None:
    given = {"NAME": "Zoë $HOME", "word": "kept", "PATH": "/nowhere", "PWD": str(tmp_path)}
    shown = run(Command(("/usr/bin/env", "-0"), tmp_path, given)).stdout.decode()
    seen = dict(entry.split("=", 1) for entry in shown.split("\0") if entry)
    seen.pop("RECTO_RUN")
    words = ("$HOME", "a b", "", "'; exit", "-n")
    said = run(python("import sys; print(sys.argv[1:])", *words, cwd=tmp_path, limits=Limits())).stdout.decode()

    assert seen == given
    assert said.strip() == repr(list(words))


def test_a_program_that_cannot_be_run_is_told_as_without_limits(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")

    with pytest.raises(FileNotFoundError):
        run(Command((str(tmp_path / "absent"),), tmp_path, {}))
    with pytest.raises(PermissionError):
        run(Command((str(plain),), tmp_path, {}))
