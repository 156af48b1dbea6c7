"""The private directory of one runner, and the command that starts the runner in it.

```
ROOT/  start.json    what is known before the document is
       request.json  the document's cells
       cells/        home run tmp: all that the cells' processes may write to, beside the project
                     result.json plotly.js
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from recto.engines.base import Job
from recto.engines.jupyter.result import Result, parsed
from recto.problems import EngineError, problem
from recto.sandbox.base import Command, Limits
from recto.sandbox.beneath import Beneath, why

RUNNER = Path(__file__).with_name("runner.py")
# The line on the runner's stdout that says that cells run from here on.
ENTERED = b'{"state": "entered"}'
# Everything that all cells show, as JSON. A page of that size is of no use to anybody.
RESULT_BYTES_MAX = 200_000_000
# plotly's script has 5 MB.
SCRIPT_BYTES_MAX = 20_000_000


class Workplace(Struct, frozen=True):
    """The directory `root`, which belongs to one runner from its start to its end."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> Workplace:
        """A new one in `root`, which is made."""
        workplace = cls(root)
        for name in ("home", "run", "tmp"):
            (workplace.cells / name).mkdir(parents=True)
        return workplace

    @property
    def cells(self) -> Path:
        """What the cells may write to."""
        return self.root / "cells"

    def command(self, job: Job, seconds_max: float, line: int | None = None, leases: tuple[int, ...] = ()) -> Command:
        """What starts a runner for documents of the job's project with the job's interpreter.

        Nothing in it comes from the document. With `line`, a descriptor, the runner waits there for its request.
        `leases` are held in place of the job's own.
        """
        job.give_fonts(self.cells / "home")
        start = {
            "home": str(self.cells / "home"),
            "runtime": str(self.cells / "run"),
            "plotly": str(self.cells / "plotly.js"),
            "request": str(self.root / "request.json"),
            "prefix": str(job.prefix),
            "line": line,
        }
        (self.root / "start.json").write_text(json.dumps(start), encoding="utf-8")
        files = (str(self.root / "start.json"), str(self.cells / "result.json"))
        return Command(
            argv=(str(job.python), "-I", str(RUNNER), *files),
            cwd=self.cells / "home",
            environment=_environment(job, self.cells),
            read_only=(job.prefix, *job.roots, RUNNER.parent, self.root),
            writable=(self.cells, job.project),
            leases=job.keep_open if line is None else leases,
            keep_open=() if line is None else (line,),
            limits=Limits(wall_seconds=seconds_max, disk_bytes=job.disk_bytes_max),
        )

    def put(self, request: Mapping[str, object]) -> None:
        """Leaves the request where the runner reads it."""
        (self.root / "request.json").write_text(json.dumps(request), encoding="utf-8")

    def result(self) -> Result:
        """What the runner wrote, which its cells may have changed; raises EngineError."""
        try:
            return parsed(self._left("result.json", RESULT_BYTES_MAX))
        except ValueError as error:
            raise unreadable(str(error)) from error

    def plotly(self) -> bytes:
        """The script that draws plotly's figures; nothing where there is no such figure. Raises EngineError."""
        return self._left("plotly.js", SCRIPT_BYTES_MAX, b"")

    def _left(self, name: str, bytes_max: int, instead: bytes | None = None) -> bytes:
        """What the cells left under that name; `instead` where they left nothing."""
        try:
            with Beneath(self.cells, private=True) as cells:
                return cells.read(name, bytes_max)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and instead is not None:
                return instead
            raise unreadable(why(error)) from error


def unreadable(reason: str) -> EngineError:
    """The error for a result that is none."""
    return EngineError(problem("render-failed", reason=f"what the cells gave cannot be read: {reason}"))


def _environment(job: Job, cells: Path) -> dict[str, str]:
    """What the cells' processes see: the job's environment, and a home of their own to write to."""
    home = str(cells / "home")
    private = {"HOME": home, "TMPDIR": str(cells / "tmp"), "VIRTUAL_ENV": str(job.prefix), "PYTHONNOUSERSITE": "1"}
    jupyter = {f"JUPYTER_{kind}_DIR": home for kind in ("CONFIG", "DATA", "RUNTIME")} | {"IPYTHONDIR": home}
    # Figures of plotly come as data, so that its script is written into a page once instead of loaded from a network.
    plotly = {"PLOTLY_RENDERER": "plotly_mimetype"}
    path = f"{job.prefix / 'bin'}:{job.environment.get('PATH', '/usr/bin:/bin')}"
    defaults = {"LANG": "C.UTF-8", "MPLCONFIGDIR": home}
    merged = {**defaults, **job.environment, **private, **jupyter, **plotly, "PATH": path}
    return {name: value for name, value in merged.items() if name != "JUPYTER_PATH"}
