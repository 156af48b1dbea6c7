"""The inventory of a distribution: what its wheel put into an environment, read without importing anything.

Taken when a wheel is met first and kept under the wheel's SHA-256, it answers later builds without a look at RECORD,
and it tells when a file of the installer's cache is no longer what it was: files are hard links into that cache, so
they keep its sizes and times.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from msgspec import Struct
from packaging.utils import canonicalize_name

from recto.builder.modules import module_of, stated_modules

_BLOCK_BYTES = 512

# Files of `.dist-info` that the installer writes for each environment anew (PEP 376, 610).
_WRITTEN = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"})

# What starts with the interpreter or is looked up by Jupyter below the prefix, wherever it comes from.
_SEARCHED = frozenset({("share", "jupyter"), ("etc", "jupyter"), ("etc", "ipython")})
_START_MODULES = frozenset({"sitecustomize", "usercustomize"})


class Seen(NamedTuple):
    """One file: its size in bytes and its time of change in nanoseconds, None where it was copied, not linked.

    (A tuple, as some thousand are read in each build.)
    """

    size: int
    mtime_ns: int | None


class Inventory(Struct, frozen=True):
    """What one wheel installs.

    `files` are those that every environment gets alike, by their path from site-packages. `modules` are importable
    top-level names, `tops` all first names of paths. `groups` are the entry point groups but those of scripts.
    `intrusions` name what can act on the start of any interpreter or kernel of the environment: `.pth` files and
    the like. `bytes` are the lengths of its files, with what RECORD keeps silent about where that is much;
    `linked_bytes` are allocated bytes of files that the cache has too. `suspect` lists files that are not as RECORD
    says.
    """

    name: str
    files: Mapping[str, Seen]
    modules: tuple[str, ...]
    tops: tuple[str, ...]
    groups: tuple[str, ...] = ()
    intrusions: tuple[str, ...] = ()
    bytes: int = 0
    linked_bytes: int = 0
    suspect: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The files that Python would compile when they are imported."""
        return tuple(path for path in self.files if path.endswith(".py") and not path.startswith(".."))

    def changed(self, site_packages: Path) -> tuple[str, ...]:
        """The files that are missing, or are no longer what they were when the inventory was taken."""
        root = f"{site_packages}/"
        return tuple(path for path, seen in self.files.items() if not _same(root + path, seen))

    def to_json(self) -> dict[str, object]:
        """A JSON object, read back by `from_json`."""
        return {
            "name": self.name,
            "files": {path: [seen.size, seen.mtime_ns] for path, seen in self.files.items()},
            "modules": list(self.modules),
            "tops": list(self.tops),
            "groups": list(self.groups),
            "intrusions": list(self.intrusions),
            "bytes": self.bytes,
            "linked_bytes": self.linked_bytes,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Inventory:
        """The inventory that `to_json` wrote; raises ValueError for anything else."""
        match value:
            case {
                "name": str(name),
                "files": dict(files),
                "modules": list(modules),
                "tops": list(tops),
                "groups": list(groups),
                "intrusions": list(intrusions),
                "bytes": int(length),
                "linked_bytes": int(linked),
            } if all(isinstance(entry, list) and len(entry) == 2 for entry in files.values()):
                return cls(
                    name,
                    {path: Seen._make(entry) for path, entry in files.items()},
                    tuple(map(str, modules)),
                    tuple(map(str, tops)),
                    tuple(map(str, groups)),
                    tuple(map(str, intrusions)),
                    length,
                    linked,
                )
        raise ValueError("not an inventory")


def metadata_directories(site_packages: Path) -> dict[str, Path]:
    """The `.dist-info` directory of each distribution in site-packages, by normalised name."""
    return {canonicalize_name(path.name.split("-")[0]): path for path in site_packages.glob("*.dist-info")}


def take_inventory(site_packages: Path, info: Path) -> Inventory:
    """What the distribution with the metadata directory `info` put into this environment."""
    # Takes 12 ms to import, and only wheels that are new here need it.
    from email.parser import HeaderParser

    metadata = HeaderParser().parsestr(_text(info / "METADATA").partition("\n\n")[0])
    files: dict[str, Seen] = {}
    suspect: list[str] = []
    heads: dict[str, PurePosixPath] = {}
    linked, own = 0, info.name
    for path, _, size in _record(info):
        if (head := _head(path)) not in heads:
            heads[head] = PurePosixPath(path)
        if _own(path, own):
            continue
        status = _status(f"{site_packages}/{path}")
        if status is None or (size is not None and status.st_size != size):
            suspect.append(path)
        if status is not None:
            shared = status.st_nlink > 1
            files[path] = Seen(status.st_size, status.st_mtime_ns if shared else None)
            linked += status.st_blocks * _BLOCK_BYTES if shared else 0
    names = heads.values()
    stated = stated_modules(metadata)
    found = stated if stated is not None else {name for path in names if (name := module_of(path)) is not None}
    return Inventory(
        name=str(metadata["Name"]),
        files=files,
        modules=tuple(sorted(found)),
        tops=tuple(sorted({_top(path) for path in names})),
        groups=tuple(sorted(_groups(info))),
        intrusions=tuple(sorted(str(path) for path in names if _intrudes(path))),
        bytes=sum(seen.size for seen in files.values()),
        linked_bytes=linked,
        suspect=tuple(suspect),
    )


def _head(path: str) -> str:
    """What stands for all paths that mean the same to imports and to starts: one a package, and each other path."""
    first, slash, _ = path.partition("/")
    return path if first in (".", "..") else first + slash


def as_recorded(site_packages: Path, info: Path, paths: Iterable[str]) -> bool:
    """Whether all of these files are there with the SHA-256 that RECORD has for them; reads them whole."""
    hashes = {path: digest for path, digest, _ in _record(info)}
    return all(_digest(site_packages / path) == hashes.get(path) for path in paths)


def _digest(path: Path) -> str:
    """The file's SHA-256 as RECORD writes it (binary distribution format), empty where there is no such file."""
    try:
        digest = hashlib.sha256(path.read_bytes()).digest()
    except FileNotFoundError:
        return ""
    return "sha256=" + base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _record(info: Path) -> Iterator[tuple[str, str | None, int | None]]:
    """Each path of RECORD with its hash and size, None where it has none (PEP 376, 427 and 627)."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if row and not row[0].startswith("/"):
                digest, size = (*row[1:3], "", "")[:2]
                yield row[0], digest or None, int(size) if size.isdecimal() else None


def _own(path: str, info: str) -> bool:
    """Whether the installer writes this file for each environment anew: records, scripts, compiled files."""
    parts = path.split("/")
    if parts[0] == info:
        return parts[-1] in _WRITTEN
    return path.endswith(".pyc") or (parts[0] == ".." and "bin" in parts)


def _status(path: str) -> os.stat_result | None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _same(path: str, seen: Seen) -> bool:
    try:
        # `os` and not `Path`: some thousand files in each build.
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    if status.st_size != seen.size or not stat.S_ISREG(status.st_mode):
        return False
    return seen.mtime_ns is None or status.st_nlink == 1 or status.st_mtime_ns == seen.mtime_ns


def _groups(info: Path) -> set[str]:
    """Entry point groups, the scripts' apart; a file that cannot be read counts as a group of its own."""
    import configparser

    parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    try:
        parser.read_string(_text(info / "entry_points.txt"))
    except configparser.Error:
        return {"?"}
    return set(parser.sections()) - {"console_scripts", "gui_scripts"}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _top(path: PurePosixPath) -> str:
    top = path.parts[0]
    return top.partition(".")[0] if len(path.parts) == 1 else top


def _intrudes(path: PurePosixPath) -> bool:
    """Whether a file is read by every start of Python or of a kernel, whatever is imported then."""
    if len(path.parts) == 1:
        return path.suffix == ".pth" or _top(path) in _START_MODULES
    outside = [part for part in path.parts if part != ".."]
    if path.parts[0] != "..":
        return path.parts[0] in _START_MODULES
    in_bin = outside[0] == "bin" and (outside[-1].startswith("python") or outside[-1] == "jupyter")
    return in_bin or tuple(outside[:2]) in _SEARCHED
