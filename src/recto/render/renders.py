"""Renders: declaration, environment, engine, outputs, in that order, with one report whatever happens."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from recto.declaration import Declaration, declare
from recto.engines.base import Engine, Job, Rendered
from recto.environments import Environment, Environments, never
from recto.interpreters.roots import roots_of
from recto.problems import (
    BuildError,
    Cancelled,
    DeclarationError,
    EngineError,
    Problem,
    RectoError,
    Refused,
    ResolveError,
    full_disk,
    problem,
)
from recto.progress import Event, Progress, silent
from recto.render.model import Choice, Output, RenderRequest, Report
from recto.render.options import Options
from recto.render.project import Project
from recto.sandbox.beneath import Beneath, why

if TYPE_CHECKING:
    from recto.environments.providers import Providers

DOCUMENT_SUFFIXES = (".qmd", ".md", ".ipynb")


class _Ground(Struct, frozen=True):
    """What a render stands on: the environment, held, and the declaration that it answers; None for an older one.

    `document` is the document's name in the store, `log` what tools said of a declaration that failed.
    """

    document: str
    environment: Environment
    declaration: Declaration | None = None
    log: str = ""


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
            ground = self._ground(project, request, progress, cancelled)
        except Cancelled as error:
            return Report("terminated", problems=error.problems)
        except RectoError as error:
            return Report("failure", problems=error.problems, log=error.raw)
        environment = ground.environment
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
            if ground.declaration is not None:
                if rendered.status == "success":
                    self._environments.keep_good(ground.document, ground.declaration, environment)
                rendered = self._advised(rendered, request, project, ground.declaration, environment)
        timings = {
            "environment": _milliseconds(started, prepared),
            **rendered.timings_ms,
            "total": _milliseconds(started, time.monotonic()),
        }
        return _report(engine, ground, rendered, timings)

    def _ground(
        self,
        project: Project,
        request: RenderRequest,
        progress: Progress,
        cancelled: Callable[[], bool] | None,
    ) -> _Ground:
        """What the render stands on; raises RectoError where there is nothing, not even from before."""
        document = _identity(project, request.document)
        declaration = None
        try:
            declaration = declare(project.read, project.name_of(request.document.resolve()))
            verdict = self._environments.judge(declaration, request.grant)
            if not verdict.allowed:
                raise Refused(verdict.problems)
            environment = self._environments.ensure(
                declaration, request.grant, progress, cancelled or never, request.retry
            )
        except (DeclarationError, ResolveError, BuildError, Refused) as error:
            warnings = tuple(found.as_warning() for found in error.problems)
            last = self._environments.last_good(document, request.grant)
            if last is not None:
                remarks = (last.remark(declaration), *warnings)
                return _Ground(document, replace(last.environment, remarks=remarks), log=error.raw)
            if declaration is None or verdict.allowed:
                raise
            # Whoever may not install gets the plain base, with the reasons.
            return _Ground(document, replace(self._environments.plain(), remarks=(*warnings, *declaration.remarks)))
        return _Ground(document, environment, declaration)

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

    def _advised(
        self,
        rendered: Rendered,
        request: RenderRequest,
        project: Project,
        declaration: Declaration,
        environment: Environment,
    ) -> Rendered:
        """What came of the job, with advice on what imports lacked; the environment is still held."""
        if not any(found.code in ("missing-module", "shared-library-missing") for found in rendered.problems):
            return rendered
        # Only now: it reads documents as Python and looks through the store.
        from recto.render.declaring import Declaring
        from recto.render.libraries import Libraries
        from recto.render.missing import Missing

        declaring = Declaring(project, project.name_of(request.document.resolve()), declaration)
        try:
            providers = self._providers()
        except RectoError:
            # The base went while it was used; what the engine said stands.
            return rendered
        missing = Missing(declaring, environment, providers)
        libraries = Libraries(declaring, environment, providers)
        return replace(rendered, problems=tuple(libraries.advised(missing.advised(one)) for one in rendered.problems))

    def _job(self, request: RenderRequest, project: Project, environment: Environment) -> Job:
        return Job(
            document=request.document.resolve(),
            project=project.root,
            python=environment.python,
            prefix=environment.prefix,
            formats=request.formats,
            output_dir=None if request.output_dir is None else request.output_dir.resolve(),
            keep_open=environment.keep_open,
            environment=self._options.environment,
            seconds_max=self._options.seconds_max,
            roots=roots_of(environment.prefix),
            fonts=self._options.fonts,
            disk_bytes_max=self._options.disk_bytes_max,
        )


def _project(document: Path) -> Project:
    """The project of an existing document; raises EngineError for anything that is not one."""
    if not document.exists():
        raise EngineError(problem("document-missing", document=str(document)))
    if document.suffix.lower() not in DOCUMENT_SUFFIXES or not document.is_file():
        raise EngineError(problem("document-unknown-type", document=str(document)))
    return Project.around(document)


def _identity(project: Project, document: Path) -> str:
    """The name of a document in the store: where it lies, unreadable for whoever looks there."""
    text = f"{project.root}\0{project.name_of(document.resolve())}"
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:32]


def _report(engine: Engine, ground: _Ground, rendered: Rendered, timings_ms: Mapping[str, float]) -> Report:
    environment = ground.environment
    # That old packages were used stands on top; what is to be said of good ones is less than what went wrong.
    first, last = (environment.remarks, ()) if environment.origin == "last-good" else ((), environment.remarks)
    problems: tuple[Problem, ...] = (*first, *rendered.problems, *last)
    status, outputs = rendered.status, list[Output]()
    for path in rendered.outputs:
        try:
            with Beneath(path.parent) as directory:
                outputs.append(Output(path, directory.status(path.name).st_size))
        except OSError as error:
            # A process that outlived the render put something else there.
            status = "failure"
            problems = (*problems, problem("output-unreadable", path=path, reason=why(error)))
    contained = rendered.containment
    said = "" if contained is None or not rendered.log else f"(contained: {contained.words})"
    log = "\n".join(text for text in (ground.log, said, rendered.log) if text)
    return Report(status, engine.name, environment, tuple(outputs), timings_ms, problems, log, contained)


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 1)
