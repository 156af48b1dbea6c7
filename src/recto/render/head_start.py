"""A head start: a kernel that begins to start when no more is known of a render than the path of its document.

What runs before a kernel starts is mostly the import of what reads settings, declaration and document, and that takes
a quarter of a second at each call of a command. So the end of a render keeps which interpreter ran the cells, and the
next one starts a runner with it at once, if the files that make a project say the same as then. Nothing is decided by
that: the render finds everything out as always, and takes the runner only where it would have started the very same
(`warm.Key`). Otherwise the runner ends, and no code of the document has run in it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from recto.engines.base import Job
from recto.engines.jupyter.warm import WarmRunner
from recto.interpreters.roots import roots_of
from recto.recall import evidence
from recto.recall.holding import hold_again
from recto.recall.memo import Answer, forget, recalled, remember
from recto.render.project import ROOT_FILES, Project

if TYPE_CHECKING:
    from recto.recall.evidence import Evidence
    from recto.recall.question import Question
    from recto.render.model import Report
    from recto.render.options import Options
    from recto.sandbox.base import Sandbox

# What the ordinary way may take before it wants the runner; an environment that is built then is another one.
_AHEAD_SECONDS = 60.0
# What a start is waited for: it takes a tenth of that.
_BEGIN_SECONDS = 0.5


class HeadStart:
    """The runner of one render, started in advance, where the last render of the document tells which.

    A context manager around that render; no process is left when it ends. `question` None makes it do nothing.
    """

    def __init__(self, question: Question | None, sandbox: Sandbox, options: Options) -> None:
        self._question = question
        self._runner = None if question is None else _started(question, sandbox, options)

    def take(self, job: Job) -> WarmRunner | None:
        """The runner, which is the caller's from now on, where a job like this would start the same; or None."""
        runner = self._runner
        if runner is None or runner.taken or not runner.fits(job):
            return None
        runner.taken = True
        runner.waited_seconds = time.monotonic() - runner.started
        return runner

    def replenish(self, job: Job) -> None:
        """Starts nothing: the process ends with its one render."""

    def keep(self, report: Report) -> None:
        """Keeps which kernel the next render of the document will want, if it will want one."""
        environment, question = report.environment, self._question
        started, used = self._runner is not None, self._runner is not None and self._runner.taken
        if question is None or environment is None:
            return
        # A disk that refuses costs the next render its head start.
        with suppress(OSError, ValueError):
            if report.engine != "jupyter" or "kernel" not in report.timings_ms:
                if started:
                    forget(question)
            elif not used:
                project = Project.around(Path(question.root)).root
                more = json.dumps({"project": str(project), "held": environment.key is not None})
                answer = Answer(str(environment.python), str(environment.prefix), more)
                remember(question, answer, _evidence(project))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None and not self._runner.taken:
            with self._runner:
                pass


def _started(question: Question, sandbox: Sandbox, options: Options) -> WarmRunner | None:
    answer = recalled(question)
    if answer is None:
        return None
    more = json.loads(answer.more)
    with ExitStack() as held:
        leases: tuple[int, ...] = ()
        if more["held"]:
            descriptor = hold_again(answer.prefix)
            if descriptor is None:
                return None
            # The runner has a hold of its own.
            held.callback(os.close, descriptor)
            leases = (descriptor,)
        job = Job(
            document=Path(question.root),
            project=Path(more["project"]),
            python=Path(answer.python),
            prefix=Path(answer.prefix),
            keep_open=leases,
            environment=options.environment,
            seconds_max=options.seconds_max,
            roots=roots_of(Path(answer.prefix)),
            fonts=options.fonts,
            disk_bytes_max=options.disk_bytes_max,
        )
        try:
            runner = WarmRunner(job, options.seconds_max + _AHEAD_SECONDS, time.monotonic())
        except OSError:
            # No room for it: the ordinary way will say so.
            return None
        try:
            runner.start(sandbox)
        except RuntimeError:
            runner.discard()
            return None
        # Its kernel takes longer than all that this thread has to do.
        runner.begin(_BEGIN_SECONDS)
    return runner


def _evidence(project: Path) -> list[Evidence]:
    files = [str(project / name) for name in ROOT_FILES]
    return [evidence.this_machine(), *(evidence.file(file, evidence.read(file)) for file in files)]
