"""Answers of interpreters, kept on disk with the state of everything that they depend on.

```
MEMORY/DIGEST.json   one file an executable asked: {"machine": [...], "files": [[path, ...]], "answer": {...}}
```
A file that cannot be read, or that the disk has moved on from, is a miss. Files are replaced by rename, so that two
processes at once both see a whole one. What is not noticed: a package's file edited in place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from packaging import __version__ as packaging_version

from recto.caching import keep_json
from recto.interpreters.states import State, machine, state_of

# Raised when the question changes: old answers then never match.
FORMAT = 3


class Fingerprint(Struct, frozen=True):
    """What an answer depends on: this machine, and files with their time of change, inode and size.

    An install or uninstall changes the time of a site directory, a replaced interpreter its inode, an edited `.pth`
    file its own time. The kernel release is a marker (PEP 508), so another one asks again.
    """

    machine: tuple[str, ...]
    files: tuple[State, ...]

    @classmethod
    def take(cls, asked: Path, answer: Mapping[str, object]) -> Fingerprint:
        """The state of the disk after `asked` gave this answer."""
        paths = [asked, Path(str(answer["python"])), Path(str(answer["prefix"]), "pyvenv.cfg")]
        for directory in _texts(answer["site_packages"]):
            paths += [Path(directory), *sorted(Path(directory).glob("*.pth"))]
        # Most interpreters name themselves as they are asked.
        return cls(_machine(), tuple(state_of(path) for path in dict.fromkeys(map(str, paths))))

    def holds(self) -> bool:
        """Whether nothing changed: some stats, no process, no directory read."""
        return self.machine == _machine() and all(state_of(entry[0]) == entry for entry in self.files)


def remembered(memory: Path, asked: Path) -> tuple[Fingerprint, dict[str, object]] | None:
    """The answer kept for this executable, if all that it depends on is as it was."""
    try:
        entry = json.loads(_file(memory, asked).read_bytes())
        answer: dict[str, object] = entry["answer"]
        taken = Fingerprint(tuple(entry["machine"]), tuple((p, t, i, s) for p, t, i, s in entry["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (taken, answer) if taken.holds() else None


def remember(memory: Path, asked: Path, taken: Fingerprint, answer: Mapping[str, object]) -> None:
    """Keeps an answer for other processes."""
    keep_json(_file(memory, asked), {"machine": taken.machine, "files": taken.files, "answer": answer})


def _file(memory: Path, asked: Path) -> Path:
    return memory / f"{hashlib.sha256(os.fsencode(asked)).hexdigest()[:32]}.json"


def _machine() -> tuple[str, ...]:
    return (str(FORMAT), packaging_version, *machine())


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return [str(entry) for entry in value]
