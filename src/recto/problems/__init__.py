"""Problems: codes, words, hints and fixes, and the error tree that carries them."""

from recto.problems.amounts import counted, size
from recto.problems.catalogue import KINDS, problem
from recto.problems.errors import (
    BaseError,
    BuildError,
    Cancelled,
    DeclarationError,
    EngineError,
    RectoError,
    Refused,
    ResolveError,
    SandboxError,
    SettingsError,
    StoreError,
)
from recto.problems.full_disk import full_disk
from recto.problems.problem import Edit, Fix, Level, Problem, Source

__all__ = [
    "KINDS",
    "BaseError",
    "BuildError",
    "Cancelled",
    "DeclarationError",
    "Edit",
    "EngineError",
    "Fix",
    "Level",
    "Problem",
    "RectoError",
    "Refused",
    "ResolveError",
    "SandboxError",
    "SettingsError",
    "Source",
    "StoreError",
    "counted",
    "full_disk",
    "problem",
    "size",
]
