"""The port of the engines room: one document under one interpreter to output files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct, field

from recto.problems import Problem
from recto.progress import Progress

if TYPE_CHECKING:
    from recto.sandbox.containment import Containment

# What an engine's runner imports inside the interpreter that runs the cells (facts: Quarto runs its notebook runner
# in that interpreter). These resolve under constraints from the base, so that no declaration can break rendering.
RENDER_STACK = ("ipykernel", "jupyter-client", "jupyter-core", "nbclient", "nbformat", "pyyaml")

# One output, and as much again of what lies beside it: no browser opens a page of that size.
OUTPUT_BYTES_MAX = 500_000_000

Status = Literal["success", "failure", "timedout", "terminated"]


class Job(Struct, frozen=True):
    """One document to render.

    `document` and `project` are absolute; cells run in the document's directory. `formats` empty means what the
    document says, else HTML. `output_dir` None means beside the document; links on the way to it are followed already,
    so that no cell can choose another. `python` is the interpreter that must run the cells and `prefix` its
    `sys.prefix`, which the engine verifies; `roots` are the directories that it reads. `keep_open` are the leases that
    children inherit. `environment` is the whole environment that cells may see, apart from what the engine adds.
    `fonts` holds matplotlib's lists of fonts. `disk_bytes_max` is what the cells may add to the disk, where the sandbox
    can hold them to that.
    """

    document: Path
    project: Path
    python: Path
    prefix: Path
    formats: tuple[str, ...] = ()
    output_dir: Path | None = None
    keep_open: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds_max: float = 600.0
    roots: tuple[Path, ...] = ()
    fonts: Path | None = None
    disk_bytes_max: int | None = None

    def give_fonts(self, directory: Path) -> None:
        """Copies matplotlib's lists of fonts, if there are any, to where a private home has them."""
        if self.fonts is None:
            return
        for path in self.fonts.glob("fontlist-*.json"):
            directory.mkdir(parents=True, exist_ok=True)
            (directory / path.name).write_bytes(path.read_bytes())


class Rendered(Struct, frozen=True):
    """What came of a job. `outputs` are absolute paths of plain files; `prefix` is where the cells really ran.

    `containment` is that of all its commands together, None where none was run.
    """

    status: Status
    outputs: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()
    log: str = ""
    prefix: Path | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    containment: Containment | None = None


class Engine(Protocol):
    """A tool that renders."""

    name: str

    def unavailable(self) -> Problem | None:
        """Why this engine cannot be used here, or None when it can."""
        ...

    def render(self, job: Job, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Rendered:
        """What came of the job. A failing document is a status with problems, not an exception."""
        ...
