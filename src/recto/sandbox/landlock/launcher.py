"""Locks itself in and becomes the command. A script of its own, started for each command: only the standard library.

`python -I -S launcher.py SPEC REPORT`: two descriptors. SPEC holds, as marshal writes it, `argv`, `environment`, `mark`
(a variable of ours that is added to it), `parent` (the process id of whoever starts us), `inherited` (descriptors of
the command alone), `leases` (descriptors of ours alone), `ruleset` (files, TCP, scopes), `grants` (`path`, `rights`,
`direct`), `filter` (BPF) and `user` (uid and gid, or None). REPORT gets a line when all is in force, and in its place
what is in the way: stage, number of the error, and what it is about, with NUL between them. Limits are in force by
then.

```
started by the service -- stays outside, as subreaper: whatever loses its parent inside becomes its child
  `-- locked in -- exec of the command
```
Whoever is outside ends all that is left when the command or the service ends, or some time after a SIGTERM, and leaves
with the command's status.
"""

from __future__ import annotations

# Imported for each command, so only what is cheap: `signal`, `json` and `typing` bring enumerations and regular
# expressions with them, together four fifths of the time that this script takes.
import ctypes
import marshal
import os
import resource
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal

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
# Some thousand of them; the rest comes with the next look.
FAMILY_BYTES = 32_768
# What the command gets after SIGTERM. Less than `supervise` gives us: when we are killed, nobody is left who meets what
# runs away.
GRACE_SECONDS = 1.5
LONG_SECONDS = 3600.0

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Failure(Exception):
    """What is in the way: the stage, the error's number and the thing that it is about."""

    def __init__(self, stage: str, number: int, what: str) -> None:
        super().__init__(stage, number, what)
        self.words = f"{stage}\0{number}\0{what}"


def main(spec_descriptor: int, report: int) -> NoReturn:
    """Runs the command; leaves as it does."""
    with open(spec_descriptor, "rb") as file:
        spec = marshal.load(file)
    os.set_inheritable(report, False)
    outside = {signal.SIGCHLD, ORPHANED, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, outside)
    prctl(SET_CHILD_SUBREAPER, 1)
    prctl(SET_PDEATHSIG, ORPHANED)
    if os.getppid() != spec["parent"]:
        os._exit(NOT_STARTED)
    outsider = os.getpid()
    family = os.open(f"/proc/self/task/{outsider}/children", os.O_RDONLY | os.O_CLOEXEC)
    command = os.fork()
    if command == 0:
        become(spec, outsider, report, before)
    os.close(report)
    # Nothing of the command's own stays open with us: its end has to be seen at the other ends.
    let_go(spec["inherited"])
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    leave(status_of(command, family))


def become(spec: dict[str, Any], outsider: int, report: int, mask: set[int | signal.Signals]) -> NoReturn:
    """The command, in this process; or the report of why not."""
    try:
        lock_in(spec, outsider)
        # A lease lasts as long as whoever is outside; in the hands of the command it could be given up.
        let_go(spec["leases"])
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        say(report, "\n")
        start(spec["argv"], {**spec["environment"], spec["mark"]: os.environ[spec["mark"]]})
    except Failure as failure:
        say(report, failure.words)
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
    filter_calls(spec["filter"])


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


def let_go(descriptors: tuple[int, ...]) -> None:
    """Closes what is the other process's to keep."""
    for descriptor in descriptors:
        os.close(descriptor)


def status_of(command: int, family: int) -> int:
    """The wait status of the command, once no other process of its is left. `family` is the list of our children."""
    status = ended(command)
    # Whoever's parent has ended is our child now, so that there is no need to look further down. Without a pause: a
    # process that forks and ends, again and again, is met sooner than it gets away.
    while alive := os.pread(family, FAMILY_BYTES, 0).split():
        for process in alive:
            end(int(process))
        status = reaped().get(command, status)
    return signal.SIGKILL if status is None else status


def ended(command: int) -> int | None:
    """The wait status of the command, which has ended; None where it has to be."""
    give_up = float("inf")
    while (left := give_up - time.monotonic()) > 0:
        told = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM, ORPHANED}, min(left, LONG_SECONDS))
        if told is not None and told.si_signo == ORPHANED:
            return None
        if told is not None and told.si_signo == signal.SIGTERM:
            # It was told as well, as one of our process group.
            give_up = time.monotonic() + GRACE_SECONDS
        if (status := reaped().get(command)) is not None:
            return status
    return None


def end(process: int) -> None:
    """Kills it, if it is still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def reaped() -> dict[int, int]:
    """The children that have ended, with their wait status."""
    ended: dict[int, int] = {}
    try:
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    except ChildProcessError:
        return ended
    return ended


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


def say(report: int, words: str) -> None:
    """The report, in place of an earlier one."""
    os.ftruncate(report, 0)
    os.pwrite(report, os.fsencode(words), 0)


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
