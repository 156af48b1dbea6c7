"""Locks itself in and becomes the command. A script of its own, started for each command: only the standard library.

`python -I -S launcher.py SPEC REPORT`: two descriptors. SPEC holds JSON: `argv`, `environment`, `mark` (a variable of
ours that is added to it), `parent` (the process id of whoever starts us), `inherited` (descriptors of the command
alone), `ruleset` (files, TCP, scopes), `grants` (`path`, `rights`, `direct`), `limits` (pairs of rlimit and value),
`filter` (BPF, hexadecimal) and `user` (uid and gid, or null). REPORT gets `{}` when all is in force, and in its place
what is in the way: `stage`, `errno`, `what`.

```
started by the service -- stays outside, as subreaper: whatever loses its parent inside becomes its child
  `-- locked in -- exec of the command
```
Whoever is outside ends all that is left when the command or the service ends, and leaves with the command's status.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

# Numbers of x86_64 and aarch64 alike.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF, OPENAT2 = 444, 445, 446, 437
PATH_BENEATH = 1
# linux/prctl.h, linux/seccomp.h.
SET_PDEATHSIG, SET_SECCOMP, SECCOMP_MODE_FILTER, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS = 1, 22, 2, 36, 38
# linux/openat2.h.
NO_MAGIC_LINKS, NO_LINKS = 0x2, 0x4
AT_FDCWD = -100
# Tells us that the service is gone.
ORPHANED = signal.SIGUSR2
INSTRUCTION_BYTES = 8
# What a shell says of a command that cannot be run.
NOT_STARTED = 126
PAUSE_SECONDS = 0.002

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Failure(Exception):
    """What is in the way: the stage, the error's number and the thing that it is about."""

    def __init__(self, stage: str, number: int, what: str) -> None:
        super().__init__(stage, number, what)
        self.facts = {"stage": stage, "errno": number, "what": what}


def main(spec_descriptor: int, report: int) -> NoReturn:
    """Runs the command; leaves as it does."""
    with open(spec_descriptor, "rb") as file:
        spec = json.load(file)
    os.set_inheritable(report, False)
    outside = {signal.SIGCHLD, ORPHANED, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, outside)
    prctl(SET_CHILD_SUBREAPER, 1)
    prctl(SET_PDEATHSIG, ORPHANED)
    if os.getppid() != spec["parent"]:
        os._exit(NOT_STARTED)
    outsider = os.getpid()
    command = os.fork()
    if command == 0:
        become(spec, outsider, report, before)
    os.close(report)
    let_go(spec["inherited"])
    leave(status_of(command))


def become(spec: dict[str, Any], outsider: int, report: int, mask: set[int | signal.Signals]) -> NoReturn:
    """The command, in this process; or the report of why not."""
    try:
        lock_in(spec, outsider)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        say(report, {})
        start(spec["argv"], {**spec["environment"], spec["mark"]: os.environ[spec["mark"]]})
    except Failure as failure:
        say(report, failure.facts)
    os._exit(NOT_STARTED)


def lock_in(spec: dict[str, Any], outsider: int) -> None:
    """Takes everything from this process that the command must not have; Failure where that is not to be had."""
    prctl(SET_NO_NEW_PRIVS, 1)
    # While we may still look everywhere.
    restrict_files(spec["ruleset"], spec["grants"])
    if spec["user"] is not None:
        drop(*spec["user"])
    # A change of user takes this away, so only now. Whoever is outside may have ended meanwhile.
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != outsider:
        os._exit(NOT_STARTED)
    for number, value in spec["limits"]:
        limit(number, value)
    filter_calls(bytes.fromhex(spec["filter"]))


def restrict_files(ruleset: list[int], grants: list[dict[str, Any]]) -> None:
    """From here on, only these rights on files, no TCP, no signal and no abstract socket of others."""
    attributes = struct.pack("=3Q", *ruleset)
    descriptor = syscall("landlock", CREATE_RULESET, attributes, len(attributes), 0)
    for grant in grants:
        beneath = opened(grant["path"], grant["direct"])
        rule = struct.pack("=Qi", grant["rights"], beneath)
        syscall(grant["path"], ADD_RULE, descriptor, PATH_BENEATH, rule, 0)
        os.close(beneath)
    syscall("landlock", RESTRICT_SELF, descriptor, 0)
    os.close(descriptor)


def opened(path: str, direct: bool) -> int:
    """A descriptor that stands for the path; with `direct`, Failure where a part of it is a link."""
    how = struct.pack("=3Q", os.O_PATH | os.O_CLOEXEC, 0, NO_LINKS | NO_MAGIC_LINKS if direct else 0)
    return syscall(path, OPENAT2, AT_FDCWD, os.fsencode(path) + b"\0", how, len(how))


def drop(user: int, group: int) -> None:
    """Another user for good."""
    try:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except OSError as error:
        raise Failure("user", error.errno or 0, f"{user}:{group}") from error


def limit(number: int, value: int) -> None:
    """A limit for good, never above what there was."""
    hard = resource.getrlimit(number)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(number, (value, value))
    except (OSError, ValueError) as error:
        raise Failure("limit", getattr(error, "errno", 0), str(number)) from error


def filter_calls(code: bytes) -> None:
    """Only calls that the filter lets by, from here on."""
    # struct sock_fprog: the number of instructions, and where they are.
    instructions = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // INSTRUCTION_BYTES, ctypes.addressof(instructions))
    prctl(SET_SECCOMP, SECCOMP_MODE_FILTER, header)


def start(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """The command with exactly its environment."""
    try:
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        raise Failure("exec", error.errno or 0, argv[0]) from error


def let_go(descriptors: list[int]) -> None:
    """Nothing of the command's own stays open with us: its end has to be seen at the other ends."""
    for descriptor in descriptors:
        os.close(descriptor)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def status_of(command: int) -> int:
    """The wait status of the command, once no other process of its is left."""
    status = None
    while status is None:
        if signal.sigwaitinfo({signal.SIGCHLD, ORPHANED}).si_signo == ORPHANED:
            break
        status = reaped().get(command)
    while children():
        for process in descendants():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        status = reaped().get(command, status)
        time.sleep(PAUSE_SECONDS)
    return signal.SIGKILL if status is None else status


def reaped() -> dict[int, int]:
    """The children that have ended, with their wait status."""
    ended = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def children() -> bool:
    """Whether there is any child, living or not."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants() -> Iterator[int]:
    """Our children, and theirs."""
    parents = dict(parent_of(int(name)) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208
    ours = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in ours} - ours:
        yield from more
        ours |= more


def parent_of(process: int) -> tuple[int, int]:
    """The process and its parent, 0 where it has ended."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            # The name in parentheses may hold anything: what counts stands behind the last one.
            return process, int(file.read().rpartition(b") ")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return process, 0


def leave(status: int) -> NoReturn:
    """Ends this process as the command ended."""
    if not os.WIFSIGNALED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    os._exit(NOT_STARTED)


def say(report: int, facts: dict[str, Any]) -> None:
    """The report, in place of an earlier one."""
    os.ftruncate(report, 0)
    os.pwrite(report, json.dumps(facts).encode(), 0)


def syscall(what: str, *arguments: int | bytes) -> int:
    """The call's result; Failure about `what`."""
    result: int = libc.syscall(*(ctypes.c_long(it) if isinstance(it, int) else it for it in arguments))
    if result < 0:
        raise Failure("landlock", ctypes.get_errno(), what)
    return result


def prctl(option: int, value: int, pointer: bytes | None = None) -> None:
    """prctl(2); Failure where the kernel says no."""
    if libc.prctl(option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise Failure("prctl", ctypes.get_errno(), str(option))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
