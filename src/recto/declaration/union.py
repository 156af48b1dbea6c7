"""Everything one render asks for, from all the places where it may be asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from recto.declaration.front_matter import read_document, read_project_yaml
from recto.declaration.model import Declaration, Declared
from recto.declaration.part import Part, joined, wrong
from recto.declaration.paths import OutsideProject, within
from recto.declaration.reading import Reader
from recto.declaration.requirements import read_requirements
from recto.declaration.showing import shown
from recto.problems import DeclarationError, Problem, Source, problem

if TYPE_CHECKING:
    from packaging.pylock import Pylock
    from packaging.specifiers import SpecifierSet

REQUIREMENTS = "requirements.txt"
LOCK = "pylock.toml"
PYPROJECT = "pyproject.toml"
PROJECT_YAML = ("_quarto.yml", "_quarto.yaml")


def declare(read: Reader, document: str | None = None) -> Declaration:
    """What a render of `document` asks for, or what the project asks for where no document is named.

    The union of `requirements.txt` at the root (without one, of `[project]` in `pyproject.toml`), of the `python` key
    of `_quarto.yml`, and of the one in the document's front matter. With a `pylock.toml` at the root, the lock
    stands for the first two files, and what the other two ask for must be in it.

    Several `requires-python` all hold, and so do several `as-of`: the earliest date counts.

    Raises DeclarationError with every problem of every file, in the order in which the files are read and their lines.
    """
    lock_data = read(LOCK)
    lock, lock_problems = _read_lock(lock_data) if lock_data is not None else (None, ())
    project = _locked(read) if lock_data is not None else _listed(read)
    around = joined((_project_yaml(read), _document(read, document)))
    everything = joined((wrong(*lock_problems), project, around))
    unlocked = _not_locked(lock, around.requirements) if lock else ()
    problems = (*everything.problems, *unlocked)
    if problems:
        raise DeclarationError(_ordered(problems))
    return _declaration(everything, lock)


def _declaration(part: Part, lock: Pylock | None) -> Declaration:
    ranges = part.requires_python
    if lock is not None and lock.requires_python is not None:
        ranges = ((lock.requires_python, Source(LOCK)), *ranges)
    return Declaration(
        requirements=() if lock else part.requirements,
        constraints=() if lock else part.constraints,
        requires_python=_all_of([specifier for specifier, _ in ranges]),
        requires_python_source=ranges[0][1] if ranges else None,
        as_of=_earliest(part.as_of),
        lock=lock,
        lock_source=Source(LOCK) if lock else None,
        sources=tuple(dict.fromkeys(((LOCK,) if lock else ()) + part.sources)),
        remarks=part.remarks,
    )


def _read_lock(data: bytes) -> tuple[Pylock | None, tuple[Problem, ...]]:
    # What reads locks is imported where there is one, as with every kind of file that few projects have.
    from recto.declaration.project_lock import read_lock

    return read_lock(data)


def _not_locked(lock: Pylock, declared: Iterable[Declared]) -> tuple[Problem, ...]:
    from recto.declaration.project_lock import not_locked

    return not_locked(lock, declared)


def _listed(read: Reader) -> Part:
    data = read(REQUIREMENTS)
    listed = read_requirements(read, REQUIREMENTS, data) if data is not None else Part()
    return joined((listed, _pyproject(read, with_project=data is None)))


def _locked(read: Reader) -> Part:
    ignored = read(REQUIREMENTS) is not None
    remarks = (problem("declaration-lock-wins", source=Source(REQUIREMENTS), file=REQUIREMENTS),) if ignored else ()
    return joined((Part(remarks=remarks), _pyproject(read, with_project=False)))


def _pyproject(read: Reader, with_project: bool) -> Part:
    data = read(PYPROJECT)
    if data is None:
        return Part()
    from recto.declaration.pyproject import read_pyproject

    return read_pyproject(data, with_project)


def _project_yaml(read: Reader) -> Part:
    for file in PROJECT_YAML:
        data = read(file)
        if data is not None:
            return read_project_yaml(file, data)
    return Part()


def _document(read: Reader, document: str | None) -> Part:
    if document is None:
        return Part()
    try:
        file = within(document)
    except OutsideProject as reason:
        return wrong(problem("declaration-include", target=shown(document, 80), reason=str(reason)))
    data = read(file)
    if data is None:
        return wrong(problem("file-not-found", source=Source(file), path=file))
    return read_document(file, data)


def _all_of(ranges: list[SpecifierSet]) -> SpecifierSet | None:
    return reduce(and_, ranges) if ranges else None


def _earliest(days: tuple[date, ...]) -> date | None:
    return min(days, default=None)


def _ordered(problems: tuple[Problem, ...]) -> list[Problem]:
    files: dict[str, int] = {}
    for each in problems:
        files.setdefault(each.source.file if each.source else "", len(files))
    return sorted(problems, key=lambda p: (files[p.source.file], p.source.line or 0) if p.source else (files[""], 0))
