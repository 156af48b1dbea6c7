"""Renders: declaration, environment, engine, outputs, in that order, with one report whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from recto.declaration import Declaration, declare
from recto.engines.base import Engine, Job, Rendered
from recto.environments import Environment, Environments, never
from recto.policy import Grant
from recto.problems import Cancelled, EngineError, Problem, RectoError, full_disk, problem
from recto.progress import Event, Progress, silent
from recto.render.model import Choice, Output, RenderRequest, Report
from recto.render.options import Options
from recto.render.project import Project

if TYPE_CHECKING:
    from recto.environments.providers import Providers

DOCUMENT_SUFFIXES = (".qmd", ".md", ".ipynb")


class Renders:
    """Renders documents; `engines` in the order in which `auto` tries them.

    `providers` gives what knows the packages behind a module; it is called after an import failed, and never before.
    """

    def __init__(
        self,
        environments: Environments,
        engines: tuple[Engine, ...],
        options: Options,
        providers: Callable[[], Providers],
    ) -> None:
        self._environments = environments
        self._engines = engines
        self._options = options
        self._providers = providers

    def render(
        self, request: RenderRequest, progress: Progress = silent, cancelled: Callable[[], bool] | None = None
    ) -> Report:
        """The report of one render; every expected failure is a status with problems."""
        started = time.monotonic()
        try:
            project = _project(request.document)
            engine = self._engine(request.engine)
            declaration = declare(project.read, project.name_of(request.document.resolve()))
            environment = self._environment(declaration, request.grant, progress, cancelled)
        except Cancelled as error:
            return Report("terminated", problems=error.problems)
        except RectoError as error:
            return Report("failure", problems=error.problems, log=error.raw)
        with environment:
            prepared = time.monotonic()
            progress(Event("rendering", f"rendering with {engine.name}"))
            try:
                rendered = engine.render(self._job(request, project, environment), progress, cancelled)
            except OSError as error:
                # Each engine writes in many places; that any of them is full is one expected failure.
                full = full_disk(error)
                if full is None:
                    raise
                rendered = Rendered("failure", problems=(full,))
            rendered = self._advised(rendered, request, project, declaration, environment)
        timings = {
            "environment": _milliseconds(started, prepared),
            **rendered.timings_ms,
            "total": _milliseconds(started, time.monotonic()),
        }
        return _report(engine, environment, rendered, timings)

    def _engine(self, choice: Choice) -> Engine:
        reasons = []
        for engine in self._engines:
            if choice not in ("auto", engine.name):
                continue
            reason = engine.unavailable()
            if reason is None:
                return engine
            reasons.append(reason)
        raise EngineError(reasons)

    def _environment(
        self,
        declaration: Declaration,
        grant: Grant,
        progress: Progress,
        cancelled: Callable[[], bool] | None,
    ) -> Environment:
        """The declared environment, or the plain base with the reasons where the policy allows no install."""
        verdict = self._environments.judge(declaration, grant)
        if verdict.allowed:
            return self._environments.ensure(declaration, grant, progress, cancelled or never)
        warnings = tuple(reason.as_warning() for reason in verdict.problems)
        return replace(self._environments.plain(), remarks=(*warnings, *declaration.remarks))

    def _advised(
        self,
        rendered: Rendered,
        request: RenderRequest,
        project: Project,
        declaration: Declaration,
        environment: Environment,
    ) -> Rendered:
        """What came of the job, with advice on the modules that were missing; the environment is still held."""
        if not any(found.code == "missing-module" for found in rendered.problems):
            return rendered
        # Only now: it reads documents as Python and looks through the store.
        from recto.render.declaring import Declaring
        from recto.render.missing import Missing

        declaring = Declaring(project, project.name_of(request.document.resolve()), declaration)
        try:
            missing = Missing(declaring, environment, self._providers())
        except RectoError:
            # The base went while it was used; what the engine said stands.
            return rendered
        return replace(rendered, problems=tuple(map(missing.advised, rendered.problems)))

    def _job(self, request: RenderRequest, project: Project, environment: Environment) -> Job:
        return Job(
            document=request.document.resolve(),
            project=project.root,
            python=environment.python,
            prefix=environment.prefix,
            formats=request.formats,
            output_dir=None if request.output_dir is None else request.output_dir.absolute(),
            keep_open=environment.keep_open,
            environment=self._options.environment,
            seconds_max=self._options.seconds_max,
        )


def _project(document: Path) -> Project:
    """The project of an existing document; raises EngineError for anything that is not one."""
    if not document.exists():
        raise EngineError(problem("document-missing", document=str(document)))
    if document.suffix.lower() not in DOCUMENT_SUFFIXES or not document.is_file():
        raise EngineError(problem("document-unknown-type", document=str(document)))
    return Project.around(document)


def _report(engine: Engine, environment: Environment, rendered: Rendered, timings_ms: Mapping[str, float]) -> Report:
    problems: tuple[Problem, ...] = (*rendered.problems, *environment.remarks)
    outputs = tuple(Output(path, path.stat().st_size) for path in rendered.outputs)
    return Report(rendered.status, engine.name, environment, outputs, timings_ms, problems, rendered.log)


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 1)
