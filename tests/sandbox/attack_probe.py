# ruff: noqa: PTH101, PTH104, PTH105, PTH108, PTH115, PTH123, PTH208
# What is tried is system calls, by the names that they have in `os`.
"""Attacks from inside of a world: each try, and what became of it, as JSON on standard output.

Run as `python -I -S attack_probe.py`; standard input is JSON: what is there to be attacked. Whatever succeeds where it
must not is undone by nobody, so that a test sees it from outside; nothing here is harmful beyond its own directory.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, AF_VSOCK, CLONE_NEWUSER, CLONE_NEWNS = 16, 40, 0x1000_0000, 0x2_0000


def became(act: Callable[[], object]) -> str:
    """`done`, or the name of the error."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "done"


def call(name: str, *arguments: object) -> Callable[[], None]:
    def act() -> None:
        if getattr(LIBC, name)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), name)

    return act


def append(path: str) -> Callable[[], None]:
    def act() -> None:
        with open(path, "ab") as file:
            file.write(b"planted")

    return act


def opened_with(mode: int) -> Callable[[], None]:
    return lambda: os.close(os.open("made-with-mode", os.O_CREAT | os.O_WRONLY, mode))


def texts() -> str:
    """All that /proc, /sys and our descriptors tell."""
    told = []
    for name in ("mountinfo", "mounts", "environ", "cmdline", "maps", "cgroup"):
        told += [f"/proc/{who}/{name}" for who in ("1", "self", str(os.getppid()))]
    told += [f"/proc/{name}" for name in ("keys", "key-users", "sched_debug", "locks", "net/unix", "net/tcp")]
    told += ["/sys/kernel/notes", "/etc/machine-id", "/etc/resolv.conf", "/proc/self/root/etc/shadow"]
    found = []
    for path in told:
        with contextlib.suppress(OSError):
            found.append(Path(path).read_bytes().decode("utf-8", "replace"))
    for pid in [name for name in os.listdir("/proc") if name.isdecimal()]:
        for kind in ("fd", "cwd", "root", "exe"):
            with contextlib.suppress(OSError):
                names = [f"/{name}" for name in os.listdir(f"/proc/{pid}/fd")] if kind == "fd" else [""]
                found += [os.readlink(f"/proc/{pid}/{kind}{name}") for name in names]
    return "\n".join(found)


def environment_tries(environment: str) -> dict[str, str]:
    """On an environment that is shown, one file of which is a second name of a file of the cache."""
    linked = f"{environment}/linked.py"
    return {
        "append": became(append(linked)),
        "append by descriptor": became(append(f"/proc/self/root{linked}")),
        "truncate": became(lambda: os.truncate(linked, 0)),
        "replace": became(lambda: os.replace("own.py", linked)),
        "plant": became(append(f"{environment}/planted.pth")),
        "remove": became(lambda: os.unlink(linked)),
        "mode": became(lambda: os.chmod(linked, 0o777)),
        "times": became(lambda: os.utime(linked, (0, 0))),
        "link": became(lambda: os.link(linked, "linked.py")),
        "rename": became(lambda: os.rename(environment, environment + "-away")),
        "attribute": became(lambda: os.setxattr(linked, "user.planted", b"x")),
        "remount": became(call("mount", None, environment.encode(), None, 0x20, None)),
        "bind": became(call("mount", b".", environment.encode(), None, 0x1000, None)),
    }


def rights_tries(pid: int) -> dict[str, str]:
    return {
        "signal outside": became(lambda: os.kill(pid, signal.SIGKILL)),
        "signal first": became(lambda: os.kill(1, signal.SIGSTOP)) if os.getuid() != 0 else "done",
        "trace first": became(call("ptrace", PTRACE_ATTACH, 1, 0, 0)),
        "memory of first": became(lambda: open("/proc/1/mem", "rb").close()),
        "descriptors of first": became(lambda: os.listdir("/proc/1/fd")),
        "user namespace": became(call("unshare", CLONE_NEWUSER)),
        "mount namespace": became(call("unshare", CLONE_NEWNS)),
        "mount": became(call("mount", b"none", b"/tmp", b"tmpfs", 0, None)),
        "unmount": became(call("umount2", b"/proc", 2)),
        "chroot": became(lambda: os.chroot("/tmp")),
        "device": became(lambda: os.mknod("device", 0o666 | stat.S_IFBLK, os.makedev(259, 0))),
        "device of memory": became(lambda: os.mknod("memory", 0o666 | stat.S_IFCHR, os.makedev(1, 1))),
        "become root": became(lambda: os.setuid(0)),
        "owner": became(lambda: os.chown("own.py", 0, 0)),
        "set-user-ID": became(lambda: os.chmod("own.py", 0o4755)),
        "set-group-ID": became(lambda: os.chmod("own.py", 0o2755)),
        "set-user-ID at birth": became(opened_with(0o4755)),
        "capability": became(lambda: os.setxattr("own.py", "security.capability", b"\1\0\0\2" + bytes(16))),
        "core pattern": became(append("/proc/sys/kernel/core_pattern")),
        "host name": became(append("/proc/sys/kernel/hostname")),
        "magic keys": became(append("/proc/sysrq-trigger")),
        "memory of the machine": became(lambda: open("/dev/mem", "rb").close()),
        "disk of the machine": became(lambda: open("/dev/vda", "rb").close()),
        "messages of the kernel": became(lambda: open("/dev/kmsg", "rb").close()),
    }


def main() -> None:
    given = json.load(sys.stdin)
    Path("own.py").write_text("x = 1\n")
    seen = {
        "environment": environment_tries(given["environment"]),
        "rights": rights_tries(given["pid"]),
        "texts": texts(),
        "variables": json.dumps(dict(os.environ)),
    }
    sys.stdout.write(json.dumps(seen))


main()
