"""What the tests of memos share: a project with a memo, and the world that it depends on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recto.interpreters.states import state_of
from recto.recall import evidence
from recto.recall.evidence import Evidence
from recto.recall.memo import Answer, recalled, remember
from recto.recall.question import Question, question


@dataclass(frozen=True)
class World:
    """A project, a data directory and a file elsewhere, all below one directory; the memo lies where runs look."""

    directory: Path

    @property
    def project(self) -> Path:
        return self.directory / "project"

    @property
    def elsewhere(self) -> Path:
        return self.directory / "record.json"

    @property
    def watched(self) -> Path:
        return self.directory / "site"

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.directory), "RECTO_DATA_DIR": str(self.directory / "data")}

    def make(self) -> None:
        (self.project / "more").mkdir(parents=True)
        (self.project / "requirements.txt").write_text("polars\n-r more/base.txt\n")
        (self.project / "more" / "base.txt").write_text("altair\n")
        self.elsewhere.write_text("{}")
        self.watched.mkdir()

    def question(self) -> Question:
        asked = question(str(self.project), self.environ)
        assert asked is not None
        return asked

    def evidence(self) -> list[Evidence]:
        return [
            evidence.own_file("pylock.toml", None),
            evidence.own_file("requirements.txt", (self.project / "requirements.txt").read_bytes()),
            evidence.own_file("more/base.txt", (self.project / "more" / "base.txt").read_bytes()),
            evidence.file(str(self.elsewhere), self.elsewhere.read_bytes()),
            evidence.file(str(self.directory / "config.toml"), None),
            evidence.state(*state_of(str(self.watched))),
            evidence.state(*state_of(str(self.directory / "missing.pth"))),
            evidence.this_machine(),
        ]

    def remember(self, prefix: str = "/envs/1") -> None:
        remember(self.question(), Answer(f"{prefix}/bin/python", prefix, ""), self.evidence())

    def recalled(self) -> str | None:
        answer = recalled(self.question())
        return None if answer is None else answer.prefix
