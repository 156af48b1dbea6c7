"""What the rules see of an index, and what they answer: the ports of the room."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct
from packaging.version import Version

Kind = Literal["wheel", "sdist", "other"]


class Project(Struct, frozen=True):
    """What an index says of a project as a whole. `name` is normalised (PEP 503).

    `status` and its reason are those of PEP 792, "active" where the index says nothing. `bytes` is what all files of
    it take together (PEP 700), None where the size of any is unknown.
    """

    name: str
    status: str = "active"
    status_reason: str = ""
    bytes: int | None = None


class File(Struct, frozen=True):
    """One file of a project, as the index describes it; None where it says nothing that can be read.

    `uploaded` is aware. `yanked` is the reason, empty where none was given, and None for a file that was not yanked
    (PEP 592). `version` is that of the file's name.
    """

    project: str
    filename: str
    kind: Kind
    version: Version | None = None
    sha256: str | None = None
    size: int | None = None
    uploaded: datetime | None = None
    yanked: str | None = None


class Finding(Struct, frozen=True):
    """What a rule has to say of a file. `reason` ends the sentence "hidden by the operator's rule: …".

    `rule` is the rule's name. What does not block is a warning: the file is served.
    """

    rule: str
    reason: str
    blocks: bool = True


class Rule(Protocol):
    """One of the operator's rules. It does no I/O, and what it needs and is not told it takes for the worst."""

    @property
    def name(self) -> str:
        """What findings, logs and settings call it."""
        ...

    def judge(self, project: Project, file: File, now: datetime) -> Finding | None:
        """What speaks against this file at this moment (aware), or None."""
        ...


class Decision(Struct, frozen=True):
    """The one answer about a file, for its place on the page, its metadata and its bytes alike."""

    findings: tuple[Finding, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing blocks it."""
        return not any(finding.blocks for finding in self.findings)
