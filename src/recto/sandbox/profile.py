"""What a contained command sees, as the words of bubblewrap: a root built from parts, and nothing of the rest.

bubblewrap(1). The profile is that of the measurements: an empty root with the system's programs read-only, a private
/tmp, /proc and /dev, no network but a loopback of its own, no rights, and then the paths that the command names.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from recto.sandbox.base import Command
from recto.sandbox.identity import Identity
from recto.sandbox.real import Real

# Where programs are, and the old names of those places: links on most systems, directories on some.
_PROGRAMS = "/usr"
_OLD_PLACES = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Settings of libraries: which one is meant by a name, where fonts and certificates are, what a kind of file is called.
# Nothing of them is secret; the accounts and networks of the machine are not among them.
_LIBRARIES = (
    *("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts", "/etc/localtime"),
    *("/etc/mime.types", "/etc/magic", "/etc/papersize", "/etc/texmf", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
    *("/var/cache/fontconfig", "/var/lib/texmf"),
)
# Names inside of the world: each command has its own.
_TEMPORARY = "/tmp"  # noqa: S108
_SHARED_MEMORY = "/dev/shm"  # noqa: S108
_HOSTS = b"127.0.0.1 localhost sandbox\n::1 localhost\n"
# What covers a hidden directory holds nothing.
_COVER_BYTES = 4096


def words(
    command: Command,
    identity: Identity,
    scratch_bytes: int,
    real: Real,
    shown: Iterable[Path] = (),
    hidden: Iterable[Path] = (),
) -> list[str]:
    """The arguments that make the command's world.

    `shown` are further paths to read; `hidden` are empty wherever a path of the command would show them, but for what
    the command names in them.
    """
    return [
        *_namespaces(command, identity),
        *_private(scratch_bytes),
        *_system(),
        *_paths(command, real, shown, tuple(hidden)),
        *(word for name, value in command.environment.items() for word in ("--setenv", name, value)),
        *("--remount-ro", "/", "--chdir", str(command.cwd)),
    ]


def accounts(identity: Identity) -> Mapping[str, bytes]:
    """Files that the world holds beside those of the machine: programs ask them who they are."""
    number = identity.number
    return {
        "/etc/passwd": f"sandbox:x:{number}:{number}::/tmp:/bin/sh\n".encode(),
        "/etc/group": f"sandbox:x:{number}:\n".encode(),
        "/etc/hosts": _HOSTS,
    }


def _namespaces(command: Command, identity: Identity) -> Iterator[str]:
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
    if command.network != "host":
        yield "--unshare-net"
    yield from ("--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox", "--cap-drop", "ALL")
    if identity.dropped:
        # We are root: the world is made with root's rights, so that it can hold what only root can reach, and what
        # runs in it gives up these last ones before it begins (see `Bubblewrap`).
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_DAC_READ_SEARCH"):
            yield from ("--cap-add", capability)
    else:
        yield from ("--unshare-user", "--disable-userns", "--uid", str(identity.number), "--gid", str(identity.number))


@cache
def _system() -> tuple[str, ...]:
    return tuple(_of_the_machine())


def _of_the_machine() -> Iterator[str]:
    yield from ("--ro-bind", _PROGRAMS, _PROGRAMS)
    for place in _OLD_PLACES:
        if Path(place).is_symlink():
            yield from ("--symlink", str(Path(place).readlink()), place)
        elif Path(place).is_dir():
            yield from ("--ro-bind", place, place)
    yield from _ways([Path(library) for library in _LIBRARIES], Real())
    for path in _LIBRARIES:
        yield from ("--ro-bind-try", path, path)


def _private(scratch_bytes: int) -> Iterator[str]:
    size = ("--size", str(scratch_bytes), "--perms", "1777")
    yield from ("--proc", "/proc", "--dev", "/dev", *size, "--tmpfs", _SHARED_MEMORY, "--remount-ro", "/dev")
    yield from (*size, "--tmpfs", _TEMPORARY)
    for directory in ("/run", "/var", "/var/cache", "/var/lib"):
        yield from ("--perms", "0755", "--dir", directory)
    yield from ("--symlink", _TEMPORARY, "/var/tmp")  # noqa: S108


def _paths(command: Command, real: Real, shown: Iterable[Path], hidden: Collection[Path]) -> Iterator[str]:
    """The command's own paths and what covers others, the deeper after those that they lie in."""
    binds: dict[Path, str] = dict.fromkeys([*shown, *command.read_only], "--ro-bind")
    root = command.link_root
    together = [path for path in command.writable if root is not None and path.is_relative_to(root)]
    apart = [path for path in command.writable if path not in together]
    binds |= dict.fromkeys(apart, "--bind")
    if root is not None and together:
        binds[root] = "--bind"
    covers = {cover for path in binds if path != root for cover in _below(path, hidden, real)}
    # What is not to be written has no way to be moved in it.
    fixed = covers | {real[path] for path, how in binds.items() if how == "--ro-bind"}
    for pin in set(_pins(apart, [*binds, *covers], real)):
        if fixed.isdisjoint((pin, *pin.parents)):
            binds.setdefault(pin, "--bind")
    # Under its other name too where links lead to a path.
    places = {place: (how, real[path]) for path, how in binds.items() for place in (path, real[path])}
    covers -= places.keys()
    yield from _ways(places, real)
    for place in sorted({*places, *covers}, key=lambda place: len(place.parts)):
        if place in covers:
            yield from ("--size", str(_COVER_BYTES), "--perms", "0755", "--tmpfs", str(place))
            yield from _ways((inner for inner in places if place in inner.parents), real, within=place)
            continue
        how, source = places[place]
        yield from (how, str(source), str(place))
        if root is not None and place in (root, real[root]) and root not in together:
            # What is readable only is bound over it next.
            yield from _covers(place, _kept(place, [*together, *places], real))
    for place in covers:
        yield from ("--remount-ro", str(place))


def _below(path: Path, hidden: Collection[Path], real: Real) -> Iterator[Path]:
    """Where hidden directories are seen below this one, under either of its names; of two in each other the outer."""
    top = real[path]
    inner = [one for one in {real[one] for one in hidden} if top in one.parents and one.is_dir()]
    for one in inner:
        if not any(outer in one.parents for outer in inner):
            yield from (path / one.relative_to(top), one)


def _pins(writable: Iterable[Path], places: Iterable[Path], real: Real) -> Iterator[Path]:
    """The directories on the way from a writable one to what lies in it and is not for the command to change.

    Each becomes a mount of its own, which cannot be renamed: else a command would move the way aside, and what it puts
    there instead would be taken for ours outside.
    """
    for top in {real[path] for path in writable}:
        for place in places:
            yield from (way for way in real[place].parents if top in way.parents)


def _kept(root: Path, paths: Iterable[Path], real: Real) -> list[Path]:
    """The paths in a directory, by the name that it has here."""
    return [place for path in paths for place in (path, real[path]) if root in place.parents]


def _ways(places: Iterable[Path], real: Real, within: Path = Path("/")) -> Iterator[str]:
    """The empty directories that lead to the places, which bubblewrap alone would close to a plain user."""
    ways = {parent for place in places for way in (place, real[place]) for parent in way.parents}
    for way in sorted((way for way in ways if within in way.parents), key=lambda way: len(way.parts)):
        yield from ("--perms", "0755", "--dir", str(way))


def _covers(root: Path, kept: list[Path]) -> Iterator[str]:
    """What hides all of a directory but the ways to what is kept in it."""
    with os.scandir(root) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = Path(entry.path)
            if path in kept or entry.is_symlink():
                continue
            if any(one.is_relative_to(path) for one in kept):
                yield from _covers(path, kept)
            elif entry.is_dir():
                yield from ("--size", str(_COVER_BYTES), "--perms", "0555", "--tmpfs", str(path))
                yield from ("--remount-ro", str(path))
            else:
                yield from ("--ro-bind", "/dev/null", str(path))
