"""Declaration: what a project asks for, from the bytes of its files. No I/O: files come through a reader."""

from recto.declaration.caps import READ_BYTES
from recto.declaration.clean import CleanInput, clean_constraints, clean_requirements
from recto.declaration.model import Declaration, Declared
from recto.declaration.pep508 import canonical
from recto.declaration.reading import Reader
from recto.declaration.union import declare

__all__ = [
    "READ_BYTES",
    "CleanInput",
    "Declaration",
    "Declared",
    "Reader",
    "canonical",
    "clean_constraints",
    "clean_requirements",
    "declare",
]
