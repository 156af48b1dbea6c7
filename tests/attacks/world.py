"""The world that is attacked: files of others, services that notice who came, and a process, all of one plain user."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from msgspec import Struct

SECRET = "planted-secret-58d2"
# What an attack may read; it may write to `own` only. Of the rest it has not even been told.
SHOWN = ("environment", "interpreter", "programs")
PLACES = (*SHOWN, "other environment", "cache", "other project", "home")
_FILES = {
    "environment/own.py": "x = 1\n",
    "interpreter/os.py": "x = 1\n",
    "programs/ls": "#!/bin/sh\n",
    "cache/wheel.py": "x = 1\n",
    "other project/secret": SECRET,
    "home/.netrc": f"machine index.example password {SECRET}\n",
}
# Names of one file: an installer links what is in the cache into every environment that uses it.
_LINKS = ("environment/linked.py", "other environment/linked.py")


class World(Struct):
    """A directory for the attack, the places around it, services by their names, and a process that holds the secret.

    `mark` is in the arguments of whatever an attack leaves running.
    """

    root: Path
    services: dict[str, socket.socket]
    victim: subprocess.Popen[bytes]
    mark: str
    before: dict[str, str]

    @property
    def own(self) -> Path:
        """Where the attack may write."""
        return self.root / "own"

    @property
    def shown(self) -> tuple[Path, ...]:
        """What it may read."""
        return tuple(self.root / name for name in SHOWN)

    def given(self) -> dict[str, Any]:
        """What the attack is told, so that it need not look for it."""
        return {
            **{name: str(self.root / name) for name in PLACES},
            "port": self.services["loopback"].getsockname()[1],
            "abstract": self.services["abstract"].getsockname()[1:].decode(),
            "socket": self.services["path"].getsockname(),
            "pid": self.victim.pid,
            "secret": SECRET,
            "mark": self.mark,
        }

    def changed(self) -> tuple[str, ...]:
        """The places whose files are not what they were."""
        return tuple(name for name in PLACES if _digest(self.root / name) != self.before[name])

    def reached(self) -> tuple[str, ...]:
        """The services that somebody came to."""
        return tuple(name for name, server in self.services.items() if _came(server))

    def left(self) -> tuple[str, ...]:
        """`daemon` where a process with the mark is there, which is then ended; `no victim` where that one is not."""
        found = [one for one in psutil.process_iter(["cmdline"]) if self.mark in (one.info["cmdline"] or [])]
        for one in found:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        daemon = ("daemon",) if found else ()
        return daemon if self.victim.poll() is None else (*daemon, "no victim")


@contextmanager
def world(user: int) -> Iterator[World]:
    """A world whose files and process belong to `user`, so that what is refused is not refused for its owner.

    It lies where every user can go.
    """
    root = Path(tempfile.mkdtemp(prefix="recto-attacked-"))
    root.chmod(0o755)
    become = {"user": user, "group": user, "extra_groups": []} if os.geteuid() == 0 else {}
    mark = f"7{os.getpid()}.{root.name.encode().hex()}"
    try:
        _fill(root, user)
        with (
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(socket.AF_UNIX) as abstract,
            socket.socket(socket.AF_UNIX) as named,
            subprocess.Popen(  # type: ignore[call-overload]
                ["/bin/sh", "-c", "read never", SECRET], env={"TOKEN": SECRET}, stdin=subprocess.PIPE, **become
            ) as victim,
        ):
            services = {"loopback": tcp, "abstract": abstract, "path": named}
            abstract.bind(f"\0{root.name}")
            named.bind(str(root / "socket"))
            (root / "socket").chmod(0o777)
            abstract.listen()
            named.listen()
            before = {name: _digest(root / name) for name in PLACES}
            try:
                yield World(root, services, victim, mark, before)
            finally:
                victim.kill()
    finally:
        shutil.rmtree(root)


def _fill(root: Path, user: int) -> None:
    for name in ("own", *PLACES):
        (root / name).mkdir()
    for name, text in _FILES.items():
        (root / name).write_text(text)
    for name in _LINKS:
        (root / name).hardlink_to(root / "cache" / "wheel.py")
    for path in root.rglob("*"):
        os.chown(path, user, user)


def _digest(directory: Path) -> str:
    """Stands for all bytes, names, modes and times below a directory, and for its being there."""
    if not directory.is_dir():
        return ""
    total = hashlib.sha256()
    for path in (directory, *sorted(directory.rglob("*"))):
        status = path.lstat()
        total.update(f"{path} {status.st_mode} {status.st_uid} {status.st_mtime_ns} {status.st_nlink}".encode())
        total.update(path.read_bytes() if stat.S_ISREG(status.st_mode) else b"")
    return total.hexdigest()


def _came(server: socket.socket) -> bool:
    server.setblocking(False)
    with suppress(BlockingIOError):
        server.accept()[0].close()
        return True
    return False
