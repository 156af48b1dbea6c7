"""Whether a mechanism keeps its promises on this machine, found out by trying to break each of them.

Not by asking what is installed: a kernel, a container around us or a security module can refuse any part of it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from recto.problems import SandboxError
from recto.sandbox.base import Command, Limits, Outcome, Sandbox
from recto.sandbox.process_tree import MARK
from recto.sandbox.temporary import temporary

PROBE = Path(__file__).with_name("probe.py")
_SECONDS = 20.0
_MEMORY_BYTES = 300_000_000
_PROCESSES = 40
_FILE_BYTES = 1_000_000
# What becomes of a try that is stopped: there is nothing, nobody answers, or it is forbidden.
_ABSENT = frozenset({"ENOENT", "EACCES", "ENOTDIR"})
_FORBIDDEN = frozenset({"EROFS", "EACCES", "EPERM"})
_UNREACHED = frozenset({"ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EPERM", "EACCES", "EAFNOSUPPORT"})
_NO_NAMESPACE = frozenset({"EPERM", "ENOSPC", "EINVAL", "ENOSYS", "EACCES"})
_NO_RIGHTS = {"CapEff": "0000000000000000", "CapBnd": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}

_EATING = f"x = [bytearray(10_000_000) for _ in range({_MEMORY_BYTES // 5_000_000})]; print('ate')"
_FORKING = f"""
import os, time
made = 0
try:
    for _ in range({_PROCESSES * 2}):
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        made += 1
except OSError:
    print("refused")
"""
_WRITING = f"""
try:
    with open("large", "wb") as file:
        file.write(bytes({_FILE_BYTES * 2}))
except OSError:
    print("refused")
"""


class Promise(Struct, frozen=True):
    """One thing that a mechanism promises; `failure` is what was seen instead, empty where it holds.

    `by` is what a limit is kept by, where that is known.
    """

    name: str
    failure: str = ""
    by: str = ""


def tried(sandbox: Sandbox) -> tuple[Promise, ...]:
    """Each promise, tried. Where nothing can be run at all, one promise that fails with the reason."""
    with temporary() as directory:
        try:
            return (*_world(sandbox, directory), *_limits(sandbox, directory))
        except SandboxError as error:
            return (Promise("runs", str(error)),)
        except OSError as error:
            # The interpreter is out of reach for the user that commands are run as.
            return (Promise("runs", str(error)),)


def _world(sandbox: Sandbox, directory: Path) -> tuple[Promise, ...]:
    shown, own, hidden = (_made(directory, name) for name in ("shown", "own", "hidden"))
    with _listening(socket.AF_INET, ("127.0.0.1", 0)) as address, _abstract() as abstract:
        tries = {"hidden": hidden, "shown": shown, "own": str(Path(own).parent), "port": address[1]}
        argv = (sys.executable, "-I", "-S", str(PROBE), json.dumps({**tries, "abstract": abstract}))
        outcome = _run(sandbox, argv, Path(own).parent, Limits(wall_seconds=_SECONDS), Path(shown).parent)
    try:
        seen = json.loads(outcome.stdout)
    except ValueError:
        said = outcome.stderr.decode("utf-8", "replace").strip().splitlines()
        return (Promise("runs", said[-1] if said else f"the probe ended with status {outcome.code}"),)
    return tuple(Promise(name, _failure(name, seen)) for name in _HOLDS)


def _failure(name: str, seen: Mapping[str, Any]) -> str:
    holds, looked_at = _HOLDS[name]
    return "" if holds(seen) else ", ".join(f"{key}: {seen[key]}" for key in looked_at)


def _private(seen: Mapping[str, Any]) -> bool:
    """Whether it sees the variables that it was given and no others, its own shell's and the run's mark included."""
    return set(seen["environment"]) <= {"RECTO_PROBE", "PWD", "LC_CTYPE", MARK} and not seen["first_environment"]


# What each promise is, and which tries show it.
_HOLDS: Mapping[str, tuple[Callable[[Mapping[str, Any]], bool], tuple[str, ...]]] = {
    "files": (
        lambda seen: (
            seen["hidden"] in _ABSENT
            and seen["shown"] == seen["write_own"] == "done"
            and {seen["write_shown"], seen["write_system"]} <= _FORBIDDEN
        ),
        ("hidden", "shown", "write_own", "write_shown", "write_system"),
    ),
    "environment": (_private, ("environment", "first_environment")),
    "network": (
        lambda seen: {seen["loopback"], seen["outside"], seen["abstract"], seen["vsock"]} <= _UNREACHED,
        ("loopback", "outside", "abstract", "vsock"),
    ),
    "rights": (
        lambda seen: (
            seen["uid"] != 0
            and seen["namespace"] in _NO_NAMESPACE
            and all(seen["privileges"][name] == value for name, value in _NO_RIGHTS.items())
        ),
        ("uid", "namespace", "privileges"),
    ),
}


def _limits(sandbox: Sandbox, directory: Path) -> tuple[Promise, ...]:
    """Limits that bite: each command asks for more than it may have."""
    tries = {
        "memory": (_EATING, Limits(wall_seconds=_SECONDS, memory_bytes=_MEMORY_BYTES), b"ate"),
        "processes": (_FORKING, Limits(wall_seconds=_SECONDS, processes=_PROCESSES), None),
        "files' size": (_WRITING, Limits(wall_seconds=_SECONDS, file_bytes=_FILE_BYTES), None),
    }
    promises = []
    for name, (code, limits, unwanted) in tries.items():
        own = directory / f"own {name}"
        own.mkdir()
        outcome = _run(sandbox, (sys.executable, "-I", "-S", "-c", code), own, limits)
        said = outcome.stdout.strip()
        kept = said != unwanted if unwanted is not None else said == b"refused"
        failure = "" if kept else "a command got more than it may have"
        promises.append(Promise(name, failure, outcome.tiers.get(name, "")))
    return tuple(promises)


def _run(sandbox: Sandbox, argv: tuple[str, ...], own: Path, limits: Limits, *shown: Path) -> Outcome:
    interpreter = (Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent, Path(sys.prefix))
    return sandbox.run(
        Command(
            argv=argv,
            cwd=own,
            environment={"RECTO_PROBE": "1"},
            read_only=(*dict.fromkeys(interpreter), PROBE, *shown),
            writable=(own,),
            limits=limits,
        )
    )


def _made(directory: Path, name: str) -> str:
    """A file in a directory of its own."""
    path = directory / name / "file"
    path.parent.mkdir()
    path.write_text("x")
    return str(path)


@contextmanager
def _listening(family: socket.AddressFamily, address: Any) -> Iterator[Any]:
    """The address of somebody who takes connections, outside."""
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind(address)
        server.listen()
        yield server.getsockname()


@contextmanager
def _abstract() -> Iterator[str]:
    """The name of a socket that no file stands for (unix(7))."""
    name = f"recto-{os.getpid()}-{os.urandom(8).hex()}"
    with _listening(socket.AF_UNIX, f"\0{name}"):
        yield name
