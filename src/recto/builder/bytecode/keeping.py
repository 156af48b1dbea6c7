"""Where compiled files are kept, and the inventories of the wheels that they belong to.

    BYTECODE/
      inventories/KEY.json   what the wheel installs; there once it was installed
      compiled/KEY/          its compiled files, read-only: `0`, `1`, ... and `index.json`, which names them
      making/AREA/           an entry on its way; held (flock) by its maker

KEY is a bytecode key: wheel and interpreter. An entry appears whole, by one rename, and is never changed. Environments
have hard links to its files: it is in use while any of them has a second name.

Guaranteed, for processes of one machine: whoever links an entry links what was compiled, or finds a miss. A file that
is not as the index says (size, time of change) is a miss, and the entry goes. An entry swept while somebody links it is
a miss for the files not linked yet.

Not guaranteed: that a file whose bytes rotted without its size and time changing is noticed before an audit reads it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR
from typing import NamedTuple

from msgspec import Struct

from recto.builder.bytecode.keys import BytecodeKey
from recto.builder.inventory import Inventory
from recto.caching import keep_json

_BLOCK_BYTES = 512
_INDEX = "index.json"


class CompiledFile(NamedTuple):
    """One compiled file: where it goes below site-packages, and what it is.

    (A tuple, as some thousand are read in each build.)
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str


class Compiled(Struct, frozen=True):
    """The compiled files of one distribution, kept in `directory` under their positions in `files`.

    `failed` lists sources that do not compile: templates and tests for other Pythons.
    """

    key: BytecodeKey
    directory: Path
    files: tuple[CompiledFile, ...]
    failed: tuple[str, ...] = ()


class Audit(Struct, frozen=True):
    """What reading every kept file showed: entries that were whole, and those that were not and went."""

    whole: int
    damaged: tuple[BytecodeKey, ...]


class Bytecode:
    """Compiled files and inventories below one directory; see the module."""

    def __init__(self, directory: Path) -> None:
        self._root = directory

    def inventory(self, key: BytecodeKey) -> Inventory | None:
        """What the wheel installs, None where it was not met before or the record cannot be read."""
        try:
            return Inventory.from_json(json.loads(self._inventory(key).read_bytes()))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None  # corruption is a miss

    def keep_inventory(self, key: BytecodeKey, inventory: Inventory) -> None:
        """Keeps an inventory for later builds; losing it costs a look at RECORD, so nothing waits for the disk."""
        keep_json(self._inventory(key), inventory.to_json())

    def forget_inventory(self, key: BytecodeKey) -> None:
        """Makes the wheel one that was never met."""
        self._inventory(key).unlink(missing_ok=True)

    def compiled(self, key: BytecodeKey) -> Compiled | None:
        """The kept files of a distribution, None where there are none."""
        directory = self._entry(key)
        try:
            return _parsed(key, directory, json.loads((directory / _INDEX).read_bytes()))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None  # corruption is a miss

    @contextmanager
    def area(self) -> Iterator[Path]:
        """A directory on the same file system to make an entry in; what is left in it is deleted."""
        area, descriptor = _claimed(self._root / "making")
        try:
            yield area
        finally:
            shutil.rmtree(area, ignore_errors=True)
            os.close(descriptor)

    def publish(self, key: BytecodeKey, made: Mapping[str, Path], failed: tuple[str, ...]) -> int:
        """Keeps compiled files (path below site-packages to a file of an `area`), which move; their allocated bytes.

        Where the entry exists already, that one stays, and the answer is 0.
        """
        entries = self._root / "compiled"
        entries.mkdir(parents=True, exist_ok=True)
        with self.area() as area:
            entry = area / "entry"
            entry.mkdir()
            files = tuple(_taken(path, source, entry / str(n)) for n, (path, source) in enumerate(sorted(made.items())))
            index = {"files": [list(file) for file in files], "failed": list(failed)}
            (entry / _INDEX).write_text(json.dumps(index), encoding="utf-8")
            amount = sum(path.lstat().st_blocks * _BLOCK_BYTES for path in (entry, *entry.iterdir()))
            while not self._placed(entry, key):
                if self.compiled(key) is not None:
                    # Somebody else was first: the key says that theirs is the same.
                    return 0
                self.drop(key)
        # Not before: a directory cannot be moved to another parent unless it is writable.
        with suppress(FileNotFoundError):
            self._entry(key).chmod(0o555)
        return amount

    def _placed(self, entry: Path, key: BytecodeKey) -> bool:
        try:
            entry.rename(self._entry(key))
        except OSError:
            if not self._entry(key).is_dir():
                raise
            return False
        return True

    def drop(self, key: BytecodeKey) -> int:
        """Deletes an entry, environments keep what they have linked; the allocated bytes that this freed."""
        with self.area() as area:
            try:
                entry = self._entry(key)
                # A directory cannot be moved to another parent unless it is writable.
                entry.chmod(0o755)
                dropped = entry.rename(area / "dropped")
            except FileNotFoundError:
                return 0
            found = [path.lstat() for path in (dropped, *dropped.iterdir())]
            return sum(one.st_blocks * _BLOCK_BYTES for one in found if S_ISDIR(one.st_mode) or one.st_nlink == 1)

    def sweep(self) -> int:
        """Deletes entries that no environment links to, and what dead processes left; the bytes that this freed."""
        freed = sum(_cleared(area) for area in _children(self._root / "making"))
        for entry in _children(self._root / "compiled"):
            if any(path.lstat().st_nlink > 1 for path in _children(entry)):
                continue
            with suppress(ValueError):
                key = BytecodeKey(entry.name)
                self.forget_inventory(key)
                freed += self.drop(key)
        return freed

    def audit(self) -> Audit:
        """Reads every kept file and drops entries that are not what was compiled; takes seconds for a full store."""
        whole, damaged = 0, []
        for entry in _children(self._root / "compiled"):
            key = BytecodeKey(entry.name)
            compiled = self.compiled(key)
            if compiled is not None and all(_whole(compiled, n) for n in range(len(compiled.files))):
                whole += 1
            else:
                damaged.append(key)
                self.drop(key)
        return Audit(whole, tuple(damaged))

    def _inventory(self, key: BytecodeKey) -> Path:
        return self._root / "inventories" / f"{key.digest}.json"

    def _entry(self, key: BytecodeKey) -> Path:
        return self._root / "compiled" / key.digest


def _claimed(making: Path) -> tuple[Path, int]:
    """A new directory, held; another is made where a sweep took the first one for abandoned before it was held."""
    while True:
        making.mkdir(parents=True, exist_ok=True)
        area = Path(tempfile.mkdtemp(dir=making))
        with suppress(FileNotFoundError):
            descriptor = os.open(area, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if area.exists():
                return area, descriptor
            os.close(descriptor)


def _parsed(key: BytecodeKey, directory: Path, value: object) -> Compiled:
    match value:
        case {"files": list(files), "failed": list(failed)} if all(
            type(one) is list and len(one) == 4 for one in files
        ):
            return Compiled(key, directory, tuple(map(CompiledFile._make, files)), tuple(map(str, failed)))
    raise ValueError("not an index of compiled files")


def _taken(path: str, source: Path, target: Path) -> CompiledFile:
    source.rename(target)
    target.chmod(0o444)
    status = target.lstat()
    return CompiledFile(path, status.st_size, status.st_mtime_ns, hashlib.sha256(target.read_bytes()).hexdigest())


def _whole(compiled: Compiled, position: int) -> bool:
    try:
        content = (compiled.directory / str(position)).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == compiled.files[position].sha256


def _children(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except FileNotFoundError:
        return []


def _cleared(area: Path) -> int:
    """Deletes an area that nobody holds."""
    try:
        descriptor = os.open(area, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    else:
        freed = sum(path.lstat().st_blocks * _BLOCK_BYTES for path in area.rglob("*"))
        shutil.rmtree(area)
        return freed
    finally:
        os.close(descriptor)
