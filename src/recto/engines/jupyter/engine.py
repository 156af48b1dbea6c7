"""`JupyterEngine`: a document to pages, Word documents and PDFs, with Jupyter's own packages, pandoc and typst.

The cells run once, whatever the number of formats. Nothing is written beside the document before everything is done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from recto.engines.base import Job, Rendered, Status
from recto.engines.jupyter.assembly import Target
from recto.engines.jupyter.commands import Commands
from recto.engines.jupyter.document import Document
from recto.engines.jupyter.execution import Execution, execute
from recto.engines.jupyter.formats import formats
from recto.engines.jupyter.kernel_choice import foreign_kernel
from recto.engines.jupyter.reading import read_document
from recto.engines.jupyter.stopping import Stopped
from recto.engines.jupyter.writing import Writer
from recto.engines.placing import place, taken, unwritable
from recto.problems import EngineError, Problem, problem
from recto.progress import Event, Progress
from recto.sandbox.base import Sandbox
from recto.sandbox.beneath import Beneath
from recto.sandbox.copying import Copy
from recto.sandbox.temporary import temporary

if TYPE_CHECKING:
    from recto.engines.jupyter.warm import Kernels


class JupyterEngine:
    """Renders `.qmd`, `.md` and `.ipynb` documents to HTML, DOCX and PDF.

    `pandoc` is the executable, `python` an interpreter that has the `typst` package: our own. `kernels`
    are those that were started in advance, if any; whoever gives them ends them.
    """

    name = "jupyter"

    def __init__(self, sandbox: Sandbox, pandoc: Path, python: Path, kernels: Kernels | None = None) -> None:
        self._sandbox = sandbox
        self._pandoc = pandoc
        self._python = python
        self._kernels = kernels

    def unavailable(self) -> Problem | None:
        """Why this engine cannot be used here, or None when it can."""
        if os.access(self._pandoc, os.X_OK):
            return None
        return problem("engine-missing", engine="jupyter", reason=f"there is no pandoc at `{self._pandoc}`")

    def render(self, job: Job, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Rendered:
        """What came of the job; a failing document is a status with problems."""
        render = _Render(Commands(self._sandbox, job, cancelled), progress, self._pandoc, self._python, self._kernels)
        status: Status = "success"
        outputs: tuple[Path, ...] = ()
        try:
            outputs = render.outputs()
        except Stopped as error:
            status, render.problems = error.status, [*error.problems, *render.problems]
        except EngineError as error:
            status, render.problems = "failure", [*error.problems, *render.problems]
        if self._kernels is not None and render.ran:
            self._kernels.replenish(job)
        return Rendered(
            status=status,
            outputs=outputs,
            problems=tuple(render.problems),
            log=render.commands.log,
            prefix=render.prefix,
            timings_ms=render.timings_ms,
            containment=render.commands.containment,
        )


class _Render(Struct):
    """One render on its way."""

    commands: Commands
    progress: Progress
    pandoc: Path
    python: Path
    kernels: Kernels | None
    # Whether the cells ran until they were done or one of them raised: then they will be run again.
    ran: bool = False
    problems: list[Problem] = field(default_factory=list)
    prefix: Path | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)

    def outputs(self) -> tuple[Path, ...]:
        """The files that were written; raises EngineError."""
        job = self.commands.job
        file = _name(job)
        document = read_document(job.document, job.project, file)
        targets, warnings = formats(job.formats, document.metadata, file)
        self.problems += [*document.warnings, *warnings]
        with ExitStack() as stack:
            work = stack.enter_context(temporary())
            execution = self._executed(document, targets, work, file)
            return self._written(document, execution, targets, work, file)

    def _executed(self, document: Document, targets: tuple[Target, ...], work: Path, file: str) -> Execution:
        started = time.monotonic()
        job = self.commands.job
        if document.cells and (found := foreign_kernel(document.metadata, file)):
            raise EngineError(found)
        figures = ("retina", "svg") if "pdf" in targets else ("retina",)
        execution = execute(document, file, self.commands, work, figures, self.progress, self.kernels)
        self.timings_ms |= {**execution.timings_ms, "execute": _since(started)}
        self.prefix = execution.prefix
        if execution.prefix is not None and os.path.realpath(execution.prefix) != os.path.realpath(job.prefix):
            raise EngineError(problem("environment-not-used", actual=execution.prefix, expected=job.prefix))
        self.ran = execution.prefix is not None and (execution.failure is None or execution.failure.kind == "error")
        if execution.failure is not None:
            # Only now: what reads failures compiles some hundred patterns.
            from recto.engines.jupyter.failures import FailureReader

            reader = FailureReader(document, file)
            raise EngineError(reader.problems(execution.failure, self.commands.log))
        return execution

    def _written(
        self, document: Document, execution: Execution, targets: tuple[Target, ...], work: Path, file: str
    ) -> tuple[Path, ...]:
        started = time.monotonic()
        directory = work / "written"
        directory.mkdir()
        writer = Writer(document, execution, self.commands, self.pandoc, self.python, directory, file)
        files: list[tuple[Path, str]] = []
        job = self.commands.job
        beside = job.output_dir or job.document.parent
        for done, target in enumerate(targets):
            self.progress(Event("rendering", f"writing {target}", done, len(targets), "files"))
            files.append((writer.write(target), f"{job.document.stem}.{target}"))
        self.progress(Event("rendering", "", len(targets), len(targets), "files"))
        self.problems += writer.problems
        outputs = _published(files, beside, job.project)
        self.timings_ms["write"] = _since(started)
        return outputs


def _published(files: list[tuple[Path, str]], directory: Path, project: Path) -> tuple[Path, ...]:
    """Moves files to their places: all are copied first, then each is renamed, so that a full disk leaves none."""
    with ExitStack() as stack:
        into = stack.enter_context(place(directory, project))
        copies: list[Copy] = []
        for source, name in files:
            written = stack.enter_context(Beneath(source.parent, private=True))
            copies.append(taken(written, source.name, into, name))
            stack.callback(copies[-1].discard)
        try:
            return tuple(copy.publish() for copy in copies)
        except OSError as error:
            raise unwritable(directory, error) from error


def _name(job: Job) -> str:
    """The document's path within its project, as problems name it."""
    if job.document.is_relative_to(job.project):
        return job.document.relative_to(job.project).as_posix()
    return job.document.name


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
