"""From a path that a person typed to what is declared there."""

from __future__ import annotations

from pathlib import Path

from recto.declaration import Declaration, declare
from recto.problems import EngineError, problem
from recto.render.project import Project


def declaration_at(path: Path) -> Declaration:
    """The declaration of a document, or of the project that a directory belongs to; raises DeclarationError."""
    if not path.exists():
        raise EngineError(problem("document-missing", document=str(path)))
    project = Project.around(path)
    if path.is_dir():
        return declare(project.read)
    return declare(project.read, project.name_of(path.resolve()))
