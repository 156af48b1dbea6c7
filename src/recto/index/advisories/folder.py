"""The operator's folder of OSV records: read whole, and read again when it changed."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from recto.index.advisories.collection import Advisories, Packed, collect, pack
from recto.problems import Problem, SettingsError, problem, size

# The largest record in the public database of Python packages has 0.5 MB. A damaged archive may promise any size.
RECORD_BYTES_MAX = 16_000_000

Seen = frozenset[tuple[str, int, int]]


class Loaded(Struct, frozen=True):
    """A state of the folder, and what stood in the way of a newer one."""

    advisories: Advisories
    seen: Seen
    problem: Problem | None = None

    def refreshed(self, folder: Path) -> Loaded:
        """This, or what the folder holds by now if a name, a size or a time of change in it differs.

        A folder that cannot be read changes nothing but `problem`, and is tried again when it has changed once more;
        where the system would not let us read, at once. It blocks for about a second per 5,000 records of a changed
        folder: not for the thread that answers.
        """
        seen: Seen = frozenset()
        try:
            seen = _look(folder)
            return self if seen == self.seen else load(folder)
        except SettingsError as error:
            by_system = isinstance(error.__cause__, OSError)
            return Loaded(self.advisories, frozenset() if by_system else seen, error.problems[0])


def load(folder: Path) -> Loaded:
    """What all `*.json` and `*.zip` below the folder hold.

    Raises SettingsError (`advisories-unreadable`) with the file that is not an OSV record, or with the folder where
    nothing in it is about Python: rules over half of what the operator supplied would look as if they held.
    """
    # Seen before it is read: what changes meanwhile is seen as a change the next time.
    seen = _look(folder)
    advisories = collect(_records(folder, sorted(name for name, _, _ in seen)))
    if not len(advisories):
        raise _unreadable(folder, "no record in it is about a package of the ecosystem `PyPI`")
    return Loaded(advisories, seen)


def _look(folder: Path) -> Seen:
    """Name, time of change and size of each file that counts. Hidden ones do not, such as the `.git` of a checkout.

    The time is that of the system's own note, as a copy may bring the time of its contents along. Links are followed.
    """
    found, directories, visited = set(), [""], set()
    try:
        while directories:
            below = directories.pop()
            status = (folder / below).stat()
            if (status.st_dev, status.st_ino) in visited:  # a link to where we came from
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder / below) as entries:
                for entry in entries:
                    name = f"{below}{entry.name}"
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        directories.append(f"{name}/")
                    elif name.endswith((".json", ".zip")):
                        status = entry.stat()
                        if not stat.S_ISREG(status.st_mode):
                            raise _unreadable(folder / name, "it is not a plain file")
                        found.add((name, status.st_ctime_ns, status.st_size))
    except OSError as error:
        raise _unreadable(error.filename or folder, error.strerror or str(error)) from error
    return frozenset(found)


def _records(folder: Path, names: list[str]) -> Iterator[Packed | None]:
    """Each record of these files, in their order."""
    place: object = folder
    try:
        for name in names:
            place = folder / name
            if name.endswith(".json"):
                with (folder / name).open("rb") as file:
                    yield pack(_decoded(file))
                continue
            with zipfile.ZipFile(folder / name) as archive:
                for member in archive.infolist():
                    if member.filename.endswith(".json"):
                        place = f"{folder / name}/{member.filename}"
                        with archive.open(member) as file:
                            yield pack(_decoded(file))
    except OSError as error:
        raise _unreadable(place, error.strerror or str(error)) from error
    except RecursionError as error:
        raise _unreadable(place, "it is nested too deeply") from error
    # An archive that is damaged, encrypted or packed in a way that this Python cannot unpack.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _unreadable(place, str(error)) from error


def _decoded(file: IO[bytes]) -> object:
    data = file.read(RECORD_BYTES_MAX + 1)
    if len(data) > RECORD_BYTES_MAX:
        raise ValueError(f"it is larger than {size(RECORD_BYTES_MAX)}")
    return msgspec.json.decode(data)


def _unreadable(place: object, reason: str) -> SettingsError:
    return SettingsError(problem("advisories-unreadable", file=place, reason=reason))
