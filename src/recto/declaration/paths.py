"""Paths inside the project, by logic alone: no file system is asked."""

from __future__ import annotations

import re
from posixpath import dirname, join, normpath

_OUTSIDE = re.compile(r"[/\\~]|[A-Za-z]:")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:", re.IGNORECASE)


class OutsideProject(ValueError):
    """Why a path does not name a file of the project, in words that end a sentence."""


def within(target: str, including: str = "") -> str:
    r"""The path relative to the project that `target` names in the file `including`; raises OutsideProject.

    `\` counts as `/`, as in the files of people who write on Windows.
    """
    if not target.strip() or any(not character.isprintable() for character in target):
        raise OutsideProject("it is not the name of a file")
    if _ADDRESS.match(target):
        raise OutsideProject("it is an address")
    if _OUTSIDE.match(target):
        raise OutsideProject("it is not relative to this file")
    path = normpath(join(dirname(including), target.replace("\\", "/")))
    if path == ".." or path.startswith(("../", "/")):
        raise OutsideProject("it lies outside the project")
    if path == ".":
        raise OutsideProject("it is a directory")
    return path
