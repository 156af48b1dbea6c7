"""The place where outputs are put, and the words for one that cannot be taken or given."""

from __future__ import annotations

import errno
from pathlib import Path

from recto.engines.base import OUTPUT_BYTES_MAX
from recto.problems import EngineError, full_disk, problem
from recto.sandbox.beneath import Beneath, TooLarge, why
from recto.sandbox.copying import Copy, copied


def place(directory: Path, project: Path) -> Beneath:
    """The directory for outputs, made where it is missing; raises EngineError.

    Inside the project no link leads there: a cell may have put one. Elsewhere the directory is the caller's own choice.
    """
    try:
        if directory.is_relative_to(project):
            with Beneath(project) as inside:
                return inside.below(directory.relative_to(project).as_posix(), make=True)
        directory.mkdir(parents=True, exist_ok=True)
        return Beneath(directory.resolve())
    except OSError as error:
        raise unwritable(directory, error) from error


def taken(source: Beneath, name: str, into: Beneath, target: str) -> Copy:
    """A copy of an output, ready to be published as `target`; raises EngineError."""
    try:
        source.status(name)
    except OSError as error:
        raise unreadable(name, error) from error
    try:
        return copied(source, name, into, target, OUTPUT_BYTES_MAX)
    except TooLarge as error:
        raise unreadable(name, error) from error
    except OSError as error:
        raise unwritable(into.directory, error) from error


def unwritable(directory: Path, error: OSError) -> EngineError:
    """The error for an output that cannot be put into a directory."""
    link = error.errno == errno.ELOOP
    reason = "a link is on the way to it" if link else (error.strerror or str(error)).lower()
    return EngineError(full_disk(error) or problem("output-unwritable", path=directory, reason=reason))


def unreadable(name: str, error: OSError) -> EngineError:
    """The error for an output of that name that cannot be taken."""
    code = "output-too-large" if isinstance(error, TooLarge) else "output-unreadable"
    return EngineError(problem(code, path=name, reason=why(error)))
