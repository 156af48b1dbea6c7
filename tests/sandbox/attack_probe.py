# ruff: noqa: PTH101, PTH104, PTH105, PTH108, PTH115, PTH116, PTH123, PTH208
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
import socket
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


def connect(family: int, address: object, kind: int = socket.SOCK_STREAM) -> Callable[[], None]:
    def act() -> None:
        with socket.socket(family, kind) as client:
            client.settimeout(2)
            client.connect(address)  # type: ignore[arg-type]

    return act


def append(path: str) -> Callable[[], None]:
    def act() -> None:
        with open(path, "ab") as file:
            file.write(b"planted")

    return act


def opened_with(mode: int) -> Callable[[], None]:
    return lambda: os.close(os.open("made-with-mode", os.O_CREAT | os.O_WRONLY, mode))


def filled(directory: str, bytes_max: int) -> Callable[[], None]:
    """Writes until it is refused, at most that much."""

    def act() -> None:
        path = Path(directory, "bomb")
        try:
            with path.open("wb", buffering=0) as file:
                for _ in range(bytes_max // 1_000_000):
                    if file.write(bytes(1_000_000)) < 1_000_000:
                        raise OSError(errno.ENOSPC, "short")
        finally:
            with contextlib.suppress(OSError):
                path.unlink()

    return act


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


def read_of_processes(path: str) -> str:
    """Through the root of any process that is to be seen."""
    ways = [f"/proc/{name}/root{path}" for name in os.listdir("/proc") if name.isdecimal()]
    results = {became(Path(way).read_bytes) for way in ways}
    return "done" if "done" in results else min(results)


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


def network_tries(port: int, abstract: str) -> dict[str, str]:
    return {
        "loopback": became(connect(socket.AF_INET, ("127.0.0.1", port))),
        "loopback 6": became(connect(socket.AF_INET6, ("::1", port))),
        "metadata": became(connect(socket.AF_INET, ("169.254.169.254", 80))),
        "outside": became(connect(socket.AF_INET, ("192.0.2.1", 80))),
        "name server": became(connect(socket.AF_INET, ("192.0.2.1", 53), socket.SOCK_DGRAM)),
        "name": became(lambda: socket.getaddrinfo("example.com", 80)),
        "abstract": became(connect(socket.AF_UNIX, "\0" + abstract)),
        "vsock": became(lambda: socket.socket(AF_VSOCK, socket.SOCK_STREAM).close()),
        "raw": became(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()),
        "packets": became(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
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
    limit = given["scratch_bytes"]
    seen = {
        "environment": environment_tries(given["environment"]),
        "network": network_tries(given["port"], given["abstract"]),
        "rights": rights_tries(given["pid"]),
        "hidden": {path: became(Path(path).read_bytes) for path in given["hidden"]},
        "hidden by processes": {path: read_of_processes(path) for path in given["hidden"]},
        "texts": texts(),
        "variables": json.dumps(dict(os.environ)),
        "bombs": {
            place: became(filled(place, 2 * limit)) for place in ("/tmp", "/dev/shm", "/", "/dev", "/run", "/var/tmp")
        },
        "sticky": {place: oct(os.stat(place).st_mode & 0o7777) for place in ("/tmp", "/dev/shm")},
    }
    sys.stdout.write(json.dumps(seen))


main()
