"""The error tree. Everything here is expected and ends in problems; anything else that is raised is our bug.

RectoError
├── SettingsError      a setting has a value that it cannot have
├── DeclarationError   what the project asks for cannot be read
├── Refused            the operator's policy says no
├── BaseError          the base interpreter is missing or lacks something
├── ResolveError       no set of packages answers the declaration
├── BuildError         the set could not be installed, or the result failed its proof
├── StoreError         the data directory cannot be used as it must be
├── SandboxError       a command cannot be contained as it must be, so it was not run
├── EngineError        the document could not be turned into output
└── Cancelled          somebody who may do so stopped it
"""

from __future__ import annotations

from collections.abc import Iterable

from recto.problems.problem import Problem


class RectoError(Exception):
    """An expected failure: `problems`, the most likely cause first; `raw` is the tool's own text."""

    def __init__(self, problems: Iterable[Problem] | Problem, raw: str = "") -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not self.problems:
            raise ValueError("an expected failure needs at least one problem")
        self.raw = raw
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class SettingsError(RectoError):
    """A setting has a value that it cannot have, or does not exist."""


class DeclarationError(RectoError):
    """What the project asks for cannot be read; all of its problems, in file and line order."""


class Refused(RectoError):
    """The operator's policy says no; one problem a reason."""


class BaseError(RectoError):
    """The base interpreter is missing, too old, or lacks what it needs."""


class ResolveError(RectoError):
    """No set of packages answers the declaration, or none could be looked for."""


class BuildError(RectoError):
    """The set could not be installed, or the result failed its proof."""


class StoreError(RectoError):
    """The data directory cannot be used as it must be."""


class SandboxError(RectoError):
    """A command could not be contained as it must be, so it was not run."""


class EngineError(RectoError):
    """The document could not be turned into output."""


class Cancelled(RectoError):
    """Somebody who may do so stopped it."""
