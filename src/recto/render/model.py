"""What a render is asked for and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from recto.engines.base import Status
from recto.environments import Environment
from recto.policy import Grant
from recto.problems import Problem

if TYPE_CHECKING:
    from recto.sandbox.containment import Containment

Choice = Literal["auto", "quarto", "jupyter"]


class RenderRequest(Struct, frozen=True):
    """One document to render. `formats` empty means what the document says; `output_dir` None means beside it.

    `retry` tries packages again that failed a short while ago.
    """

    document: Path
    formats: tuple[str, ...] = ()
    engine: Choice = "auto"
    output_dir: Path | None = None
    grant: Grant = field(default_factory=Grant)
    retry: bool = False


class Output(Struct, frozen=True):
    """A file that was written: an absolute path and its size."""

    path: Path
    bytes: int


class Report(Struct, frozen=True):
    """What came of a render. `engine` and `environment` are None where it ended before they were chosen.

    The environment is no longer held. `log` is the engine's own text, `containment` what contained its commands, None
    where none was run.
    """

    status: Status
    engine: str | None = None
    environment: Environment | None = None
    outputs: tuple[Output, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    log: str = ""
    containment: Containment | None = None
