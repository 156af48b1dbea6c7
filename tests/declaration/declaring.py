"""Projects as a mapping of names to contents, and fixes applied to them as an editor would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from recto.declaration import Declaration, declare
from recto.problems import DeclarationError, Fix, Problem

Files = Mapping[str, str | bytes]

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "requirements"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not beside the checkout")


def asked(files: Files, document: str | None = None) -> Declaration:
    """The declaration of a project with these files."""

    def read(name: str) -> bytes | None:
        content = files.get(name)
        return content.encode() if isinstance(content, str) else content

    return declare(read, document)


def refused(files: Files, document: str | None = None) -> tuple[Problem, ...]:
    """The problems of a project with these files, which must have some."""
    with pytest.raises(DeclarationError) as caught:
        asked(files, document)
    return caught.value.problems


def only(files: Files, document: str | None = None) -> Problem:
    """The one problem of a project with these files."""
    (problem,) = refused(files, document)
    return problem


def texts(declaration: Declaration) -> list[str]:
    """What is required, as `packaging` writes it, in the user's order."""
    return [str(each.requirement) for each in declaration.requirements]


def applied(fix: Fix, files: Files) -> dict[str, str]:
    """The files after the fix; every edit must quote the line that it changes, numbered as before all edits."""
    mended = {name: content if isinstance(content, str) else content.decode() for name, content in files.items()}
    for name in {edit.file for edit in fix.edits}:
        lines = mended[name].split("\n")
        slots: list[list[str]] = [[line] for line in lines]
        for edit in fix.edits:
            if edit.file != name:
                continue
            slot = slots[edit.line - 1]
            if edit.old is None:
                assert edit.new is not None
                slot.insert(len(slot) - 1, edit.new)
                continue
            assert edit.old == lines[edit.line - 1]
            slot[-1:] = [] if edit.new is None else [edit.new]
        mended[name] = "\n".join(line for slot in slots for line in slot)
    return mended
