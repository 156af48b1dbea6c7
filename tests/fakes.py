"""Fakes of the ports of floors one and two, written once. Everything else in the tests is real."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import default_environment
from packaging.pylock import Pylock
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name

from recto.builder.base import Built, Hold, Order
from recto.engines.base import Job, Rendered, Status
from recto.interpreters import Base
from recto.keys import BaseIdentity
from recto.policy import FromBase, Installed, Plan, Replaced
from recto.problems import BuildError, Problem, ResolveError, problem
from recto.progress import Event, Progress
from recto.resolver.base import Request, Resolution
from recto.sandbox.base import Command, OnLine, Outcome
from recto.sandbox.none import NoSandbox

DIGEST = "a" * 64


def base(location: Path, **distributions: str) -> Base:
    """A base that has these distributions, by name with `_` for `-`."""
    installed = {name.replace("_", "-"): version for name, version in distributions.items()}
    return Base(
        python=Path(sys.executable),
        prefix=location,
        identity=BaseIdentity("cpython", "3.11.7", "linux-x86_64", "glibc 2.36", "cp311", str(location), installed),
        is_venv=True,
        site_packages=(location / "lib",),
        markers={
            **{name: str(value) for name, value in default_environment().items()},
            "python_full_version": "3.11.7",
        },
        tags=tuple(str(tag) for tag in sys_tags()),
    )


def lock(versions: dict[str, str], size: int = 1000) -> Pylock:
    """A lock of these packages, one wheel each."""
    return Pylock.from_dict(
        {
            "lock-version": "1.0",
            "created-by": "fake",
            "packages": [
                {
                    "name": name,
                    "version": version,
                    "wheels": [
                        {
                            "url": f"https://files.example/{name.replace('-', '_')}-{version}-py3-none-any.whl",
                            "size": size,
                            "hashes": {"sha256": DIGEST},
                        }
                    ],
                }
                for name, version in sorted(versions.items())
            ],
        }
    )


@dataclass
class FakeResolver:
    """Answers from `available` (name to newest version) and `needs` (name to what it depends on).

    Like the real one it keeps base versions and preferred versions unless it is told to upgrade. It fails with the
    problems in `failing`, when there are some. `during` is called with each request.
    """

    available: dict[str, str]
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    size: int = 1000
    requests: list[Request] = field(default_factory=list)
    remarks: tuple[Problem, ...] = ()
    failing: list[Problem] = field(default_factory=list)
    during: Callable[[Request], None] = lambda request: None

    def resolve(self, request: Request, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Resolution:
        self.requests.append(request)
        progress(Event("resolving", "looking for versions"))
        self.during(request)
        if self.failing:
            raise ResolveError(self.failing, raw="the resolver's text")
        last = () if request.preferred is None else request.preferred.packages
        preferred = {str(package.name): str(package.version) for package in last}
        has = request.base.identity.distributions
        chosen: dict[str, str] = {}
        queue = [
            (str(canonicalize_name(entry.requirement.name)), entry.source) for entry in request.declaration.requirements
        ]
        while queue:
            name, source = queue.pop()
            if name in chosen:
                continue
            if name not in self.available:
                raise ResolveError(problem("no-matching-distribution", package=name, source=source))
            chosen[name] = has.get(name) or preferred.get(name) or self.available[name]
            queue += [(needed, source) for needed in self.needs.get(name, ())]
        install = {name: version for name, version in chosen.items() if has.get(name) != version}
        kept = {name: version for name, version in chosen.items() if name not in install}
        plan = Plan(
            install=tuple(Installed(name, version, self.size) for name, version in sorted(install.items())),
            from_base=tuple(FromBase(name, version) for name, version in sorted(kept.items())),
            replaces=tuple(Replaced(name, has[name], v) for name, v in sorted(install.items()) if name in has),
        )
        return Resolution(lock(chosen, self.size), plan, kept, self.remarks)


@dataclass
class FakeBuilder:
    """Writes a file for each distribution; fails with the problems in `failing`, when there are some.

    `during` is called with what a build is given to tell of its progress and to ask whether to stop. `lacking` are the
    bytecode keys of distributions whose bytecode is not there.
    """

    orders: list[Order] = field(default_factory=list)
    prepared: list[Base] = field(default_factory=list)
    failing: list[Problem] = field(default_factory=list)
    lacking: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = lambda: None
    during: Callable[[Progress, Callable[[], bool]], None] = lambda progress, cancelled: None

    def prepare(self, base: Base, cancelled: Callable[[], bool] | None = None) -> None:
        self.prepared.append(base)

    def build(
        self,
        order: Order,
        directory: Path,
        progress: Progress,
        cancelled: Callable[[], bool] | None = None,
        settled: Callable[[], object] = lambda: None,
    ) -> Built:
        self.orders.append(order)
        self.before()
        self.during(progress, cancelled or (lambda: False))
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "python").symlink_to(order.base.python)
        if self.failing:
            raise BuildError(self.failing, raw="the installer's text")
        for name in order.install:
            (directory / name).write_text(name)
        unfinished = {name: self.lacking[name] for name in order.install if name in self.lacking}
        length = sum(len(name) for name in order.install)
        return Built(length, {name: (name,) for name in order.install}, "built\n", unfinished)


@dataclass
class FakeFinisher:
    """Writes a file for each distribution, unless it fails with the problems in `failing`."""

    finished: list[dict[str, str]] = field(default_factory=list)
    failing: list[Problem] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def finish(
        self,
        base: Base,
        unfinished: Mapping[str, str],
        hold: Hold,
        grown: Callable[[int], None],
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.during()
        if self.failing:
            raise BuildError(self.failing)
        with hold() as directory:
            if directory is not None:
                self.finished.append(dict(unfinished))
                grown(4096)


@dataclass
class FakeEngine:
    """Copies the document to an output and reports what it was given, with this status."""

    name: str = "fake"
    missing: Problem | None = None
    status: Status = "success"
    jobs: list[Job] = field(default_factory=list)

    def unavailable(self) -> Problem | None:
        return self.missing

    def render(self, job: Job, progress: Progress, cancelled: Callable[[], bool] | None = None) -> Rendered:
        self.jobs.append(job)
        progress(Event("executing", "cells", 1, 1, "cells"))
        output = (job.output_dir or job.document.parent) / f"{job.document.stem}.html"
        output.write_bytes(job.document.read_bytes())
        return Rendered(self.status, (output,), log="rendered\n", prefix=job.prefix, timings_ms={"execute": 1.0})


@dataclass
class FakeSandbox:
    """Runs runners that get ready at once and wait until their line is closed, without a process."""

    name: str = "fake"
    commands: list[Command] = field(default_factory=list)
    failing: OSError | None = None

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        self.commands.append(command)
        if self.failing is not None:
            raise self.failing
        line = command.keep_open[-1]
        os.write(line, b"r")
        while not (cancelled and cancelled()):
            select.select([line], [], [], 0.01)
        return Outcome(-15, "cancelled", b"", b"", 0.0)


@dataclass
class CountingSandbox:
    """No sandbox, with the commands that went through it; those that `refused` knows end so without being run."""

    name: str = "counting"
    commands: list[Command] = field(default_factory=list)
    refused: Callable[[Command], bool] = lambda command: False
    refusal: Outcome = field(default_factory=lambda: Outcome(1, "exited", b"", b"refused\n", 0.0))

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        self.commands.append(command)
        if self.refused(command):
            return self.refusal
        return NoSandbox().run(command, on_stdout=on_stdout, on_stderr=on_stderr, cancelled=cancelled)
