"""Keeping what a run was answered, with all that the answer depends on, for the short way of the next run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import packaging
from msgspec import Struct

from recto.environments import Environment, Footing
from recto.interpreters import Fingerprint
from recto.interpreters.states import state_of
from recto.recall import evidence
from recto.recall.evidence import Evidence
from recto.recall.memo import Answer, remember
from recto.recall.question import Question
from recto.render.project import ROOT_FILES
from recto.settings import ConfigurationFile

# What was asked of a project's reader, and what it gave.
Reads = Sequence[tuple[str, bytes | None]]


class Grounds(Struct, frozen=True):
    """All that an answer to a run depends on beside the question: files, the interpreter, the store, the settings."""

    reads: Reads
    base: Fingerprint
    footing: Footing
    file: ConfigurationFile | None = None

    def evidence(self) -> list[Evidence]:
        """Each of them, with how it was when the answer was found."""
        seen = self.footing.seen
        found = [
            *(evidence.own_file(name, data) for name, data in self.reads),
            evidence.file(str(seen.record), seen.record_data),
            evidence.file(str(seen.mark), seen.mark_data),
            *(evidence.state(*state) for state in self.base.files),
            evidence.this_machine(),
            # An upgrade of what Recto reads with, which may read otherwise, changes the directory where it lies.
            evidence.state(*state_of(str(Path(packaging.__file__).parents[1]))),
        ]
        if self.file is not None:
            found.append(evidence.file(str(self.file.path), self.file.data))
        return found


def begins_here(reads: Reads) -> bool:
    """Whether one of the files that were read makes the directory a project by itself.

    Otherwise where the project begins was found by a search upwards, and only a search would show that it still does.
    """
    return any(name in ROOT_FILES and data is not None for name, data in reads)


def keep(question: Question, environment: Environment, grounds: Grounds) -> None:
    """Keeps the answer; raises OSError where the disk refuses."""
    said = [remark.to_json() for remark in grounds.footing.remarks]
    remarks = json.dumps(said) if said else ""
    remember(question, Answer(str(environment.python), str(environment.prefix), remarks), grounds.evidence())
