"""Words for tests of fixes: a project in a directory, its refusal, and its edits applied to the files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from resolving import Bench

from recto.declaration import Declaration, declare
from recto.declaration.mending import mended
from recto.problems import Fix, Problem, ResolveError
from recto.resolver import Request, Resolution


@dataclass
class Project:
    """A project of files; `bench` resolves what they declare."""

    directory: Path
    bench: Bench
    document: str | None = None

    def write(self, file: str, text: str) -> None:
        (self.directory / file).write_text(text, encoding="utf-8")

    def text(self, file: str = "requirements.txt") -> str:
        return (self.directory / file).read_text(encoding="utf-8")

    def declaration(self) -> Declaration:
        def read(name: str) -> bytes | None:
            file = self.directory / name
            return file.read_bytes() if file.is_file() else None

        return declare(read, self.document)

    def resolve(self, seconds_max: float = 120.0) -> Resolution:
        return self.bench.answer(Request(self.declaration(), self.bench.base, seconds_max=seconds_max))

    def refusals(self, seconds_max: float = 120.0) -> tuple[Problem, ...]:
        with pytest.raises(ResolveError) as caught:
            self.resolve(seconds_max)
        return caught.value.problems

    def apply(self, *fixes: Fix | None) -> None:
        """Makes the edits; each must find the line that it says stands there."""
        edits = [edit for fix in fixes if fix for edit in fix.edits]
        assert edits
        for file in {edit.file for edit in edits}:
            path = self.directory / file
            path.write_bytes(mended(path.read_bytes(), [edit for edit in edits if edit.file == file]))
