"""What strangers leave in a directory: each trick, made for real."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SECRET = "marker-9f2c-of-the-outside"


def outside(root: Path) -> Path:
    """A directory with a secret, beside whatever lies in `root`."""
    directory = root / "outside"
    (directory / "figures").mkdir(parents=True)
    for name in ("secret", "figures/secret"):
        (directory / name).write_text(SECRET)
    return directory


def link(directory: Path, away: Path) -> str:
    (directory / "link").symlink_to(away / "secret")
    return "link"


def link_to_link(directory: Path, away: Path) -> str:
    (directory / "one").symlink_to(away / "secret")
    (directory / "two").symlink_to("one")
    return "two"


def linked_parent(directory: Path, away: Path) -> str:
    (directory / "figures").symlink_to(away / "figures")
    return "figures/secret"


def linked_grandparent(directory: Path, away: Path) -> str:
    (directory / "a").symlink_to(away)
    return "a/figures/secret"


def upwards(directory: Path, away: Path) -> str:
    return f"../{away.name}/secret"


def upwards_within(directory: Path, away: Path) -> str:
    (directory / "sub").mkdir()
    return f"sub/../../{away.name}/secret"


def absolute(directory: Path, away: Path) -> str:
    return str(away / "secret")


def magic_link(directory: Path, away: Path) -> str:
    (directory / "root").symlink_to("/proc/self/root")
    return f"root{away}/secret"


def loop(directory: Path, away: Path) -> str:
    (directory / "loop").symlink_to("loop")
    return "loop"


def fifo(directory: Path, away: Path) -> str:
    os.mkfifo(directory / "pipe")
    return "pipe"


def unix_socket(directory: Path, away: Path) -> str:
    with socket.socket(socket.AF_UNIX) as listener:
        # The path of a socket has 107 bytes at most.
        here = os.open(directory, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    return "socket"


def device(directory: Path, away: Path) -> str:
    """`/dev/zero`, which never ends; only root can make one, so others get a link to it."""
    if os.geteuid():
        (directory / "device").symlink_to("/dev/zero")
    else:
        os.mknod(directory / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    return "device"


def directory_of_that_name(directory: Path, away: Path) -> str:
    (directory / "dir").mkdir()
    return "dir"


def name_with_a_nul(directory: Path, away: Path) -> str:
    return "a\0b"


def empty_name(directory: Path, away: Path) -> str:
    return ""


Trick = Callable[[Path, Path], str]

TRICKS: tuple[Trick, ...] = (
    link,
    link_to_link,
    linked_parent,
    linked_grandparent,
    upwards,
    upwards_within,
    absolute,
    magic_link,
    loop,
    fifo,
    unix_socket,
    device,
    directory_of_that_name,
    name_with_a_nul,
    empty_name,
)


def deep(directory: Path, levels: int, leaf: bytes = b"leaf") -> None:
    """A tree of that many directories in each other, with a file in each hundredth and at the end."""
    at = os.open(directory, os.O_RDONLY)
    for level in range(levels):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
        if level % 100 == 99 or level == levels - 1:
            file = os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=at)
            os.write(file, leaf)
            os.close(file)
    os.close(at)


@contextmanager
def in_memory(fallback: Path) -> Iterator[Path]:
    """A directory for more files than a disk makes in a second, removed afterwards; else one in `fallback`."""
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else fallback) as name:
        yield Path(name)


def many(directory: Path, count: int) -> None:
    """That many empty files."""
    here = os.open(directory, os.O_RDONLY)
    for number in range(count):
        os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Runs as a plain user where we are root, with no more rights than that; nothing else where we are one already."""
    if os.geteuid():
        yield
        return
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
