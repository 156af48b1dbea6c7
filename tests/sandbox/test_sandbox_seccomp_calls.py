"""Each rule in the real kernel: a process that makes the call, with the filter and without.

All arguments are such that the call does nothing where it is allowed. The call is made through bubblewrap, which loads
the program, as root with all its privileges and as a plain user; without the filter it must come to something else.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from recto.sandbox.seccomp import OFFLINE_RULES, RULES, UNSHARED_RULES, program
from recto.sandbox.seccomp.numbers import CALLS, NEWEST
from recto.sandbox.seccomp.rules import NEW_NAMESPACES

PLAIN = 65534
MACHINE = platform.machine()
BAD_POINTER, NOTHING = 1, -1
# Without CLONE_VM this is never taken, whatever stands beside it.
CLONE_SIGHAND = 0x800

# What is called, with what. Names of a tuple stand for calls with the same arguments.
ATTEMPTS: dict[str, tuple[str, list[int]]] = {
    **{call: (call, []) for call in ("vhangup", "iopl", "shmdt", "semop", "create_module", "query_module")},
    **{call: (call, []) for call in ("get_kernel_syms", "nfsservctl", "_sysctl", "uselib", "lookup_dcookie")},
    **{call: (call, [BAD_POINTER] * 5) for call in ("mount", "umount2", "pivot_root", "chroot", "acct", "swapon")},
    **{call: (call, [BAD_POINTER] * 5) for call in ("swapoff", "init_module", "delete_module", "settimeofday")},
    **{call: (call, [BAD_POINTER] * 5) for call in ("sethostname", "setdomainname", "adjtimex", "perf_event_open")},
    **{call: (call, [NOTHING] * 5) for call in ("fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "setns")},
    **{call: (call, [NOTHING] * 5) for call in ("mount_setattr", "fsopen", "open_tree_attr", "open_by_handle_at")},
    **{call: (call, [NOTHING] * 5) for call in ("name_to_handle_at", "pidfd_getfd", "kcmp", "keyctl", "bpf")},
    **{call: (call, [NOTHING] * 5) for call in ("io_uring_enter", "io_uring_register", "fanotify_init", "vmsplice")},
    **{call: (call, [NOTHING] * 5) for call in ("finit_module", "kexec_file_load", "quotactl_fd", "clock_settime")},
    **{call: (call, [NOTHING] * 5) for call in ("clock_adjtime", "syslog", "quotactl", "modify_ldt", "shmat")},
    **{call: (call, [NOTHING] * 5) for call in ("shmctl", "semctl", "msgctl", "msgrcv", "msgsnd", "semtimedop")},
    **{call: (call, [NOTHING] * 5) for call in ("process_madvise", "process_mrelease")},
    **{call: (call, [NOTHING, 0, 0, 0]) for call in ("prlimit64", "move_pages", "migrate_pages")},
    "setpriority": ("setpriority", [9, NOTHING, 0]),
    "setpriority of a user": ("setpriority", [2, 0, 0]),
    "ioprio_set": ("ioprio_set", [9, NOTHING, 0]),
    "ioprio_set of a user": ("ioprio_set", [3, 0, 0xFFFF]),
    **{call: (call, [BAD_POINTER, 0o4755]) for call in ("chmod", "creat", "mknod")},
    **{f"{call} of the group": (call, [BAD_POINTER, 0o2755]) for call in ("chmod", "creat", "mknod")},
    "fchmod": ("fchmod", [NOTHING, 0o4755]),
    **{call: (call, [NOTHING, BAD_POINTER, 0o4755]) for call in ("fchmodat", "fchmodat2", "mknodat")},
    "open that makes a file": ("open", [BAD_POINTER, 0o101, 0o4755]),
    "open that makes a file without a name": ("open", [BAD_POINTER, 0o20200002, 0o4755]),
    "openat that makes a file": ("openat", [NOTHING, BAD_POINTER, 0o101, 0o4755]),
    "openat that makes a file without a name": ("openat", [NOTHING, BAD_POINTER, 0o20200002, 0o2755]),
    "openat2": ("openat2", [NOTHING, BAD_POINTER, BAD_POINTER, 24]),
    "unshare": ("unshare", [0]),
    "clone3": ("clone3", [0, 0]),
    "ptrace": ("ptrace", [9999, 0, 0, 0]),
    "process_vm_readv": ("process_vm_readv", [0] * 6),
    "process_vm_writev": ("process_vm_writev", [0] * 6),
    "add_key": ("add_key", [BAD_POINTER, BAD_POINTER, 0, 0, 0]),
    "request_key": ("request_key", [BAD_POINTER, BAD_POINTER, 0, 0]),
    # UFFD_USER_MODE_ONLY, which everybody may.
    "userfaultfd": ("userfaultfd", [1]),
    "io_uring_setup": ("io_uring_setup", [0, BAD_POINTER]),
    "ioperm": ("ioperm", [0, 0, 0]),
    "ioctl TIOCSTI": ("ioctl", [NOTHING, 0x5412, 0]),
    "ioctl TIOCLINUX": ("ioctl", [NOTHING, 0x541C, 0]),
    "ioctl TIOCSETD": ("ioctl", [NOTHING, 0x5423, 0]),
    "ioctl with more bits": ("ioctl", [NOTHING, 0xABC << 32 | 0x5412, 0]),
    "personality without randomness": ("personality", [0x0040000]),
    # More segments than there may be; none of them would unload what is loaded.
    "kexec_load": ("kexec_load", [0, 9999, 0, 0xF]),
    # Not the magic number that it asks for.
    "reboot": ("reboot", [0, 0, 0, 0]),
    **{f"clone {1 << bit:#x}": ("clone", [1 << bit | CLONE_SIGHAND]) for bit in range(32) if NEW_NAMESPACES >> bit & 1},
    "mq_open": ("mq_open", [BAD_POINTER, 0, 0, 0]),
    "mq_unlink": ("mq_unlink", [BAD_POINTER]),
    **{call: (call, [0xBAD, 0, 0]) for call in ("shmget", "semget", "msgget")},
    "socket of vsock": ("socket", [40, 1, 0]),
    "socket of packets": ("socket", [17, 3, 0]),
    "socket of bluetooth": ("socket", [31, 1, 0]),
    "socket of the kernel's crypto": ("socket", [38, 5, 0]),
    "socket with more bits": ("socket", [1 << 32 | 40, 1, 0]),
    "netlink of firewalls": ("socket", [16, 3, 12]),
    "raw socket": ("socket", [2, 3, 1]),
    "DCCP socket": ("socket", [10, 6, 33]),
    "socketpair of a family without": ("socketpair", [40, 1, 0, BAD_POINTER]),
    "socket of the internet": ("socket", [2, 1, 0]),
    "socket of the newer internet": ("socket", [10, 2, 0]),
    "a call of the future": ("future", [0] * 6),
}
# Allowed by the first set of rules; the second and third refuse them as well.
ONLY_UNSHARED = {rule.calls for rule in UNSHARED_RULES}
ONLY_OFFLINE = {"socket of the internet", "socket of the newer internet"}

# Where the kernel says the same by itself: there, the reading of the program is all there is to go by. A plain user has
# no privilege for these, which is looked at before anything else; root shows them.
SAME_FOR_PLAIN_USERS = {
    *("vhangup", "pivot_root", "acct", "swapon", "swapoff", "sethostname", "setdomainname", "fsmount", "fspick"),
    *("move_mount", "fsopen", "fanotify_init", "syslog", "reboot", "socket of packets", "raw socket"),
    # As the machine is set: kernel.unprivileged_bpf_disabled, kernel.perf_event_paranoid.
    *("bpf", "perf_event_open"),
}
# No kernel has it yet.
SAME_FOR_ALL = {"a call of the future"}

PROBE = """
import ctypes, json, os, signal, sys
call = ctypes.CDLL(None, use_errno=True).syscall
call.restype = ctypes.c_long
def attempt(number, arguments):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        # No terminal of ours to hang up.
        os.setsid()
        ctypes.set_errno(0)
        result = call(ctypes.c_long(number), *(ctypes.c_long(word) for word in arguments + [0] * (6 - len(arguments))))
        os.write(writer, str(ctypes.get_errno() if result == -1 else 0).encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 16)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(reader)
    return int(said) if said else status
print(json.dumps({name: attempt(*what) for name, what in json.load(sys.stdin).items()}))
"""
# getpid() of 32-bit x86: mov eax, 20; int 0x80; ret.
OLDER_CALL = """
import ctypes, mmap
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
"""


def _number(call: str) -> int | None:
    if call == "future":
        return NEWEST + 1000
    number: int | None = getattr(CALLS[call], MACHINE)
    return number


def _attempts() -> dict[str, tuple[int, list[int]]]:
    return {name: (number, given) for name, (call, given) in ATTEMPTS.items() if (number := _number(call)) is not None}


@pytest.fixture(scope="module", params=["root", "plain"])
def user(request: pytest.FixtureRequest) -> str:
    """Who makes the calls."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("only root can show that root is refused too")
    return str(request.param)


@pytest.fixture(scope="module")
def answers(user: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    """The error of each attempt, 0 for none, without a filter, with the first rules and with all."""
    place = tmp_path_factory.mktemp("filters")
    return {
        "without": _made(user, None),
        "shared": _made(user, _file(place / "shared", program(MACHINE))),
        "all": _made(user, _file(place / "all", program(MACHINE, (*RULES, *UNSHARED_RULES, *OFFLINE_RULES)))),
    }


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _made(user: str, filter_file: Path | None) -> dict[str, int]:
    done = _python(user, PROBE, filter_file)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _python(user: str, code: str, filter_file: Path | None) -> subprocess.CompletedProcess[bytes]:
    """The code's run in bubblewrap, under the filter."""
    # The interpreter of the tests may lie where a plain user cannot go.
    python = sys.executable if os.geteuid() != 0 else "/usr/bin/python3"
    become = {"user": PLAIN, "group": PLAIN, "extra_groups": []} if user == "plain" and os.geteuid() == 0 else {}
    with ExitStack() as opened:
        words: tuple[str, ...] = ()
        if filter_file is not None:
            words = ("--seccomp", str(opened.enter_context(filter_file.open("rb")).fileno()))
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            ("bwrap", "--ro-bind", "/", "/", *words, python, "-I", "-S", "-c", code),
            input=json.dumps(_attempts()).encode(),
            capture_output=True,
            pass_fds=tuple(int(word) for word in words[1:]),
            cwd="/",
            **become,  # type: ignore[call-overload]
        )
    return done


def _expected(name: str) -> int:
    return errno.ENOSYS if name in ("clone3", "openat2", "a call of the future") else errno.EPERM


def _later(name: str) -> bool:
    """Whether only the rules beyond the first set refuse it."""
    return name in ONLY_OFFLINE or any(ATTEMPTS[name][0] in calls for calls in ONLY_UNSHARED)


@pytest.mark.parametrize("name", _attempts())
def test_the_call_is_refused(answers: dict[str, dict[str, int]], name: str) -> None:
    assert answers["all"][name] == _expected(name)


@pytest.mark.parametrize("name", [name for name in _attempts() if not _later(name)])
def test_the_call_is_refused_by_the_first_rules(answers: dict[str, dict[str, int]], name: str) -> None:
    assert answers["shared"][name] == _expected(name)


@pytest.mark.parametrize("name", [name for name in _attempts() if _later(name)])
def test_the_first_rules_leave_it_to_namespaces(answers: dict[str, dict[str, int]], name: str) -> None:
    assert answers["shared"][name] == answers["without"][name]


@pytest.mark.parametrize("name", [name for name in _attempts() if name not in SAME_FOR_ALL])
def test_without_the_filter_the_call_comes_to_something_else(
    user: str, answers: dict[str, dict[str, int]], name: str
) -> None:
    same = user == "plain" and name in SAME_FOR_PLAIN_USERS

    assert same or answers["without"][name] != _expected(name)


@pytest.mark.skipif(MACHINE != "x86_64", reason="the instruction is one of x86")
def test_a_call_by_the_older_architectures_instruction_ends_the_process(user: str, tmp_path: Path) -> None:
    without = _python(user, OLDER_CALL, None)
    filtered = _python(user, OLDER_CALL, _file(tmp_path / "filter", program(MACHINE)))

    # Where the kernel does not run older programs, it is an invalid instruction instead.
    assert without.returncode in (0, 128 + signal.SIGSEGV)
    assert filtered.returncode == 128 + signal.SIGSYS


def test_every_call_of_every_rule_is_attempted() -> None:
    ruled = {call for rule in (*RULES, *UNSHARED_RULES, *OFFLINE_RULES) for call in rule.calls}

    assert {call for call, _ in ATTEMPTS.values()} - {"future"} == ruled
