"""Rows about whole commands in a ready environment: `recto run` and `recto render`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.house import House, gone
from bench.results import Also, Bar, Peer, Row
from bench.timing import Contender, in_turns, process
from recto.app import App
from recto.declaration import Declaration, declare
from recto.policy import Grant
from recto.render import RenderRequest, Renders
from recto.render.project import Project
from recto.sandbox.base import Command, OnLine, Outcome, Sandbox
from recto.settings import load

_RENDER_SECONDS_MORE = 0.150
_SANDBOX_SECONDS_MORE = 0.030
_ENGINE = "the engine's own commands"

DOCUMENT = """\
---
title: Small
---

```{python}
import polars as pl
pl.DataFrame({"x": [1, 2, 3]}).describe()
```

Text with a *little* markup.

```{python}
sum(range(10))
```
"""


def run(house: House) -> Row:
    """`recto run -- true` against `uv run --with-requirements`, both ready."""
    requirements = house.project / "requirements.txt"
    peer = [house.app.uv, "run", "--quiet", "--no-project", "--python", house.app.base().python]
    peer += ["--with-requirements", requirements, "--", "true"]
    offline = [*peer[:2], "--offline", *peer[2:]]
    ours = [house.recto, "run", "--project", house.project, "--", "true"]
    acts = {
        "ours": Contender(lambda: process(ours, house.variables)),
        "uv run": Contender(lambda: process(peer, house.variables)),
        "offline": Contender(lambda: process(offline, house.variables)),
    }
    in_turns(2, acts)
    samples = in_turns(house.times(21), acts)
    peers = {
        "uv run --with-requirements, warm": Peer(samples["uv run"], Bar("faster", 1)),
        "the same with --offline": Peer(samples["offline"], Bar("faster", 1)),
    }
    return Row("run", "`recto run -- true`, ready, whole processes", samples["ours"], peers)


def sandbox(house: House) -> Row:
    """The start and end of a command that does nothing, contained within the usual limits, against it by itself."""
    work = house.root / "sandbox"
    gone(work)
    work.mkdir()
    command = Command(("/bin/true",), work, {"PATH": "/usr/bin:/bin"}, writable=(work,))
    contained = App(load({**house.variables, "RECTO_SANDBOX": "bubblewrap"})).sandbox
    bare = App(load(house.variables)).sandbox
    acts = {"ours": Contender(lambda: _ran(contained, command)), "bare": Contender(lambda: _ran(bare, command))}
    in_turns(2, acts)
    samples = in_turns(house.times(101), acts)
    peer = Peer(samples["bare"], Bar("over", _SANDBOX_SECONDS_MORE))
    return Row("sandbox", "a command that does nothing, by bubblewrap", samples["ours"], {"by itself": peer})


def _ran(sandbox: Sandbox, command: Command) -> None:
    if not sandbox.run(command).succeeded:
        raise RuntimeError("the command to measure does not run")


def render(house: House) -> Row:
    """`recto render` of a small document against the commands of its engine, run one after another by themselves.

    The peer is a strict one: its commands are started from this process, so that no interpreter starts for them.
    """
    project = house.project_of("render", tuple((house.project / "requirements.txt").read_text().split()))
    document = project / "small.qmd"
    document.write_text(DOCUMENT)
    work = house.root / "render"
    gone(work)
    work.mkdir()
    engine = _recorded(house, document, work)
    ours = [house.recto, "render", document, "--engine", "jupyter", "--to", "html"]
    renders = App(load(house.variables)).renders
    request = RenderRequest(document, formats=("html",), engine="jupyter", grant=Grant.own())
    contained = {**house.variables, "RECTO_SANDBOX": "bubblewrap"}
    renders_contained = App(load(contained)).renders
    acts = {
        "ours": Contender(lambda: process(ours, house.variables)),
        "contained": Contender(lambda: process(ours, contained)),
        "resident": Contender(lambda: _rendered(renders, request)),
        "resident contained": Contender(lambda: _rendered(renders_contained, request)),
        "engine": Contender(engine.replay, engine.restore),
    }
    # The second of these is the first that begins with its kernel.
    in_turns(2, acts)
    # Most of it is the start of a kernel, which takes 0.2 s more or less from one time to the next.
    samples = in_turns(house.times(41), acts)
    bar = Bar("over", _RENDER_SECONDS_MORE)
    peers = {_ENGINE: Peer(samples["engine"], bar)}
    also = {
        "contained by bubblewrap": Also(samples["contained"], bar, _ENGINE),
        "the same call in a process that runs already": Also(samples["resident"], bar, _ENGINE),
        "that, contained by bubblewrap": Also(samples["resident contained"], bar, _ENGINE),
    }
    return Row("render", "`recto render` of two small cells to HTML, ready", samples["ours"], peers, also=also)


def _rendered(renders: Renders, request: RenderRequest) -> None:
    report = renders.render(request)
    if report.status != "success":
        raise RuntimeError(f"the document to measure does not render: {report.problems}")


def _recorded(house: House, document: Path, work: Path) -> Recorder:
    app = App(load(house.variables))
    recorder = Recorder(app.sandbox, work, work.with_name("render-kept"))
    gone(recorder.kept)
    vars(app)["sandbox"] = recorder
    before, tempfile.tempdir = tempfile.tempdir, str(work)
    try:
        request = RenderRequest(document, formats=("html",), engine="jupyter", grant=Grant.own())
        with app.environments.ensure(_declaration(document), Grant.own()):
            recorder.commands.clear()
            _rendered(app.renders, request)
    finally:
        tempfile.tempdir = before
    return recorder


def _declaration(document: Path) -> Declaration:
    project = Project.around(document)
    return declare(project.read, project.name_of(document))


@dataclass(slots=True)
class Recorder:
    """A sandbox that keeps each command and the files in `work` that it found there, so that all can be run again.

    What a command wrote itself is not kept: it would be in the way of the next run.
    """

    inner: Sandbox
    work: Path
    kept: Path
    commands: list[Command] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    name: str = "recorder"

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        """What the sandbox behind it gives."""
        self.commands.append(command)
        before = self._files()
        shutil.copytree(self.work, self.kept, symlinks=True, dirs_exist_ok=True, ignore=self._not_inputs)
        outcome = self.inner.run(command, on_stdout=on_stdout, on_stderr=on_stderr, cancelled=cancelled)
        self.written |= self._files() - before
        return outcome

    def restore(self) -> None:
        """Puts the files back that the commands read, without what they wrote last time."""
        gone(self.work)
        shutil.copytree(self.kept, self.work, symlinks=True)

    def replay(self) -> None:
        """Runs the commands again, one after another; raises where one fails."""
        for command in self.commands:
            subprocess.run(
                command.argv,
                cwd=command.cwd,
                env=dict(command.environment),
                input=command.stdin,
                capture_output=True,
                check=True,
            )

    def _files(self) -> set[str]:
        return {str(path) for path in self.work.rglob("*") if not path.is_dir()}

    def _not_inputs(self, directory: str, names: list[str]) -> list[str]:
        return [name for name in names if str(Path(directory, name)) in self.written]
