"""`QuartoEngine`: one document to outputs with `quarto render`, one run of Quarto a format.

The contract with Quarto (1.7) was measured: it falls back to other interpreters without a word, so the kernel itself
proves where it ran (`evidence`); `--quiet` hides the error of a failing cell, so it is never used; the execution daemon
would keep an old environment, so it is off, as is the cache of results, which knows nothing of environments.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recto.engines.base import Job, Rendered, Status
from recto.engines.quarto import evidence, failure, outputs
from recto.engines.quarto.source import SUFFIXES, Document, read_document
from recto.engines.quarto.surroundings import Surroundings, surroundings
from recto.problems import EngineError, Problem, problem
from recto.problems.diagnosis import redacted
from recto.progress import Event, Progress
from recto.sandbox.base import Command, Limits, OnLine, Outcome, Sandbox
from recto.sandbox.containment import Containment
from recto.sandbox.exceeded import exceeded, says_refused

# A format is one word of Quarto's or pandoc's, with extensions (`markdown+emoji`, `acm-pdf`, `my/own.lua`); a leading
# dash would be an option and a comma a list.
_FORMAT = re.compile(r"[A-Za-z][\w.+/-]*")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL_DONE = re.compile(rb"^\s*Cell (\d+)/(\d+)\b")
_WARNING = re.compile(r"^(?:WARN(?:ING)?\b|Recto:).*$", re.MULTILINE)
# What says no more than that something failed; the rest is more exact than a limit.
_OF_REFUSAL = frozenset({"cell-error", "kernel-died", "cause-unknown", "render-failed"})
_PROBED = re.compile(r"^\s*Path: (?P<python>/.*\S)\s*$", re.MULTILINE)


class _Run(Struct, frozen=True):
    """One run of Quarto. `output` is None unless it succeeded, and `files` are what was delivered of it.

    `containment` is None until the run is over.
    """

    status: Status
    log: str
    output: str | None = None
    problems: tuple[Problem, ...] = ()
    prefix: Path | None = None
    files: tuple[Path, ...] = ()
    containment: Containment | None = None


class QuartoEngine:
    """Renders with the Quarto at a path, inside a sandbox. Two renders of one document at once disturb each other:
    Quarto works beside the document, in files named after it. Whoever calls this keeps them apart."""

    name = "quarto"

    def __init__(self, quarto: Path | None, sandbox: Sandbox) -> None:
        self._quarto = quarto
        self._sandbox = sandbox

    def unavailable(self) -> Problem | None:
        """Why there is no Quarto here, or None when there is one."""
        if self._quarto is None:
            return problem("engine-missing", engine="quarto", reason="no `quarto` on the PATH")
        if not self._quarto.is_file():
            return problem("engine-missing", engine="quarto", reason=f"there is no file `{self._quarto}`")
        if not os.access(self._quarto, os.X_OK):
            return problem("engine-missing", engine="quarto", reason=f"`{self._quarto}` cannot be run")
        return None

    def render(self, job: Job, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Rendered:
        """What came of the job: the outputs of every format, or of those before the first that failed.

        A notebook is executed too, unless its front matter says `execute: {enabled: false}`. Without `formats`, each
        format that the document or its project names is rendered. `seconds_max` counts for all of them together.
        """
        if refusal := self.unavailable() or _refusal(job):
            return Rendered("failure", problems=(refusal,))
        document = read_document(job.document, job.project)
        formats = job.formats or document.formats or ("",)
        started = time.monotonic()
        rendered = Rendered("success")
        for done, name in enumerate(formats):
            progress(Event("rendering", name, done, len(formats), "files"))
            before = time.monotonic()
            run = self._run(job, document, name, job.seconds_max - (before - started), progress, cancelled)
            rendered = _with(rendered, job, run, name, 1000 * (time.monotonic() - before))
            if run.status != "success":
                break
        return rendered

    def _run(
        self,
        job: Job,
        document: Document,
        to: str,
        seconds: float,
        progress: Progress,
        cancelled: Callable[[], bool] | None,
    ) -> _Run:
        beside = outputs.Beside.look(job.document, job.project)
        with surroundings(job) as around:
            try:
                outcome = self._sandbox.run(
                    self._command(job, document, to, seconds, around),
                    on_stderr=_cells(progress),
                    cancelled=cancelled,
                )
            finally:
                beside.clear_transient()
            run = _delivered(job, _judged(job, document, around, outcome))
        if run.status != "success":
            beside.clear_new()
        return replace(run, containment=Containment(self._sandbox.name, outcome.tiers))

    def _command(self, job: Job, document: Document, to: str, seconds: float, around: Surroundings) -> Command:
        assert self._quarto is not None
        name = job.document.name
        argv = [str(self._quarto), "render", f"./{name}" if name.startswith("-") else name]
        argv += ["--no-execute-daemon", "--no-cache", "--log", str(around.log), "--log-format", "json-stream"]
        argv += ["--to", to] if to else []
        argv += ["--execute"] if job.document.suffix == ".ipynb" and document.executes else []
        return Command(
            argv=tuple(argv),
            cwd=job.document.parent,
            environment=around.environment,
            # Quarto's own resources lie beside its `bin`.
            read_only=(self._quarto.resolve().parents[1], job.prefix, *job.roots),
            writable=(job.project, around.home),
            leases=job.keep_open,
            limits=Limits(wall_seconds=max(seconds, 0.0), disk_bytes=job.disk_bytes_max),
        )


def _refusal(job: Job) -> Problem | None:
    """Why Quarto need not be asked."""
    name = job.document.name
    if not job.document.is_file():
        return problem("document-missing", document=name)
    if job.document.suffix not in SUFFIXES:
        return problem("document-unknown-type", document=name)
    unknown = next((name for name in job.formats if not _FORMAT.fullmatch(name)), None)
    if unknown is not None:
        known = "a name such as html, pdf, docx or typst"
        return problem("format-unknown", engine="quarto", format=unknown, formats=known)
    return None


def _judged(job: Job, document: Document, around: Surroundings, outcome: Outcome) -> _Run:
    """What the end of a run means. Success needs the exit status, an output, and the proof where cells were run."""
    log = redacted(_COLOURS.sub("", outcome.stderr.decode("utf-8", "replace")))
    told = evidence.read(around.evidence)
    prefix = told.prefix if told else None
    if outcome.stop == "timed-out":
        at = failure.running_cell(log, document, job)
        return _Run("timedout", log, problems=(problem("render-timeout", seconds=f"{job.seconds_max:g}", source=at),))
    if outcome.stop == "cancelled":
        return _Run("terminated", log)
    if outcome.stop != "exited" and (over := exceeded(outcome)) is not None:
        return _Run("failure", log, problems=(over.at(failure.running_cell(log, document, job)),))
    output = outputs.created(log, job.document, job.project)
    if astray := _astray(job, document, told, log, ended_well=outcome.code == 0):
        if output is not None:
            outputs.throw_away(output, job.project)
        return _Run("failure", log, problems=(astray,), prefix=prefix)
    if outcome.code != 0:
        found = failure.problems(log, failure.errors_in(around.log), document, job)
        found = tuple(_by_limit(one, outcome) for one in found)
        return _Run("failure", log, problems=found, prefix=prefix)
    if output is None:
        lost = problem("render-failed", reason="Quarto named no output inside the project")
        return _Run("failure", log, problems=(lost,), prefix=prefix)
    return _Run("success", log, output, prefix=prefix)


def _delivered(job: Job, run: _Run) -> _Run:
    """The run with its files where they were wanted; a failure where its output is none that can be shown."""
    if run.output is None:
        return run
    try:
        delivered = outputs.deliver(run.output, job.document, job.project, job.output_dir)
    except EngineError as error:
        return replace(run, status="failure", output=None, problems=(*run.problems, *error.problems))
    return replace(run, files=delivered.files, problems=(*run.problems, *delivered.problems))


def _by_limit(found: Problem, outcome: Outcome) -> Problem:
    """What a failure is where the operating system killed for memory meanwhile, or refused a process."""
    if found.code == "kernel-died" and outcome.memory_kills:
        return problem("out-of-memory", source=found.source)
    if found.code in _OF_REFUSAL and outcome.refused_processes and says_refused(found.excerpt):
        return problem("process-limit", source=found.source, excerpt=found.excerpt)
    return found


def _astray(
    job: Job, document: Document, told: evidence.Evidence | None, log: str, *, ended_well: bool
) -> Problem | None:
    """The problem where the cells ran elsewhere, or where they ran and nothing shows that it was in the environment.

    A failed run without a kernel is judged by its own words, unless Quarto says that it took another interpreter.
    """
    if told is not None:
        actual = None if told.shows(job.prefix) else str(told.prefix)
    elif not document.executes:
        actual = None
    elif ended_well:
        actual = "unknown"
    else:
        probed = _PROBED.search(log)
        taken = Path(probed["python"]).parents[1] if probed else job.prefix
        actual = None if os.path.realpath(taken) == os.path.realpath(job.prefix) else str(taken)
    if actual is None:
        return None
    telling = "\n".join(_WARNING.findall(log)[:8])
    return problem("environment-not-used", actual=actual, expected=job.prefix, excerpt=telling)


def _with(rendered: Rendered, job: Job, run: _Run, name: str, milliseconds: float) -> Rendered:
    """What came of the job so far and of one more run."""
    return Rendered(
        status=run.status,
        outputs=tuple(dict.fromkeys(rendered.outputs + run.files)),
        problems=rendered.problems + run.problems,
        log=rendered.log + run.log,
        prefix=run.prefix or rendered.prefix,
        timings_ms={**rendered.timings_ms, f"render_{name}" if name else "render": round(milliseconds, 1)},
        containment=rendered.containment if run.containment is None else run.containment.beside(rendered.containment),
    )


def _cells(progress: Progress) -> OnLine:
    """Reads `Cell 3/7: 'label'...Done`, which Quarto ends when the cell has."""

    def on_line(line: bytes) -> None:
        if match := _CELL_DONE.match(line):
            progress(Event("executing", "", int(match[1]), int(match[2]), "cells"))

    return on_line
