"""Which names a distribution makes importable, read from its files without importing anything."""

from __future__ import annotations

from importlib.machinery import all_suffixes
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message

_SUFFIXES = tuple(all_suffixes())


def stated_modules(metadata: Message) -> set[str] | None:
    """The top-level names that `Import-Name` states (PEP 794), None where the metadata has no such field."""
    stated = metadata.get_all("Import-Name")
    if not stated:
        return None
    # `Import-Name: spam.eggs ; private`: the name before the semicolon, its first part.
    return {entry.split(";")[0].strip().split(".")[0] for entry in stated if entry.strip()}


def module_of(file: PurePosixPath) -> str | None:
    """The top-level name that a file of RECORD belongs to, if it is importable."""
    top = file.parts[0]
    if top in ("..", "__pycache__") or top.endswith((".dist-info", ".data")):
        return None
    if len(file.parts) == 1:
        top = next((top.removesuffix(suffix) for suffix in _SUFFIXES if top.endswith(suffix)), "")
    return top if top.isidentifier() else None
