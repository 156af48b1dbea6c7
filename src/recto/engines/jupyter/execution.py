"""The cells of a document, run once in the project's interpreter, and what they gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recto.engines.base import Job
from recto.engines.jupyter.commands import Access, Commands
from recto.engines.jupyter.document import Block, Document, Markdown
from recto.engines.jupyter.inline import escaped, expressions
from recto.engines.jupyter.options import HEIGHT_INCHES, WIDTH_INCHES
from recto.engines.jupyter.outputs import Output, outputs
from recto.engines.jupyter.untrusted import read_untrusted
from recto.problems import EngineError, problem
from recto.progress import Event, Progress

RUNNER = Path(__file__).with_name("runner.py")
# Everything that all cells show, as JSON. A page of that size is of no use to anybody.
RESULT_BYTES_MAX = 200_000_000
# plotly's script has 5 MB.
SCRIPT_BYTES_MAX = 20_000_000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why running stopped: `block` is the index of the block, None where it was before or outside of any."""

    kind: str
    block: int | None
    error: Mapping[str, object]
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Execution:
    """What the blocks gave, by their index in the document: outputs of cells, Markdown of inline values."""

    prefix: Path | None = None
    shown: Mapping[int, tuple[Output, ...]] = field(default_factory=dict)
    values: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    failure: Failure | None = None
    plotly: bytes = b""
    log: str = ""


def execute(
    document: Document, commands: Commands, work: Path, figures: Sequence[str], progress: Progress
) -> Execution:
    """What came of the document's cells; of a document that runs nothing, nothing, without starting a kernel.

    `figures` are matplotlib's names of the image types that are wanted.
    """
    items = {index: item for index, block in enumerate(document.blocks) if (item := _item(block))}
    if not items:
        return Execution()
    cells = work / "cells"
    for name in ("home", "run", "tmp"):
        (cells / name).mkdir(parents=True)
    job = commands.job
    request = _request(document, job, cells) | {"items": list(items.values()), "figures": list(figures)}
    (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
    outcome = commands.run(
        (str(job.python), "-I", str(RUNNER), str(work / "request.json"), str(cells / "result.json")),
        job.document.parent,
        _environment(job, cells),
        Access((job.prefix, job.python.resolve().parent.parent, RUNNER.parent, work), (cells, job.project)),
        on_stdout=lambda line: _report(line, progress),
    )
    if not outcome.succeeded:
        return Execution(failure=Failure("runner", None, {}, {"code": outcome.code}), log=commands.log)
    return _execution(_result(cells / "result.json"), list(items), _script(cells / "plotly.js"))


def _item(block: Block) -> dict[str, object] | None:
    if isinstance(block, Markdown):
        found = () if block.verbatim else expressions(block.text)
        return {"kind": "inline", "expressions": [inline.expression for inline in found]} if found else None
    chosen = block.options
    size = [chosen.width_inches, chosen.height_inches]
    return {"kind": "cell", "code": block.code, "error": chosen.error, "size": size} if chosen.evaluate else None


def _request(document: Document, job: Job, cells: Path) -> dict[str, object]:
    execute = document.metadata.get("execute")
    seconds = execute.get("timeout") if isinstance(execute, dict) else None
    return {
        "directory": str(job.document.parent),
        "runtime": str(cells / "run"),
        "plotly": str(cells / "plotly.js"),
        "prefix": str(job.prefix),
        "size": [WIDTH_INCHES, HEIGHT_INCHES],
        "cell_seconds": seconds if _is_number(seconds) else None,
    }


def _is_number(seconds: object) -> bool:
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds > 0


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


def _report(line: bytes, progress: Progress) -> None:
    try:
        step = json.loads(line)
        progress(Event("executing", "", int(step["done"]), int(step["total"]), "cells"))
    except (ValueError, KeyError, TypeError):
        # Not one of our lines: whoever wrote it is not to be believed anyway.
        return


def _result(path: Path) -> Mapping[str, object]:
    try:
        value = json.loads(read_untrusted(path, RESULT_BYTES_MAX))
    except (OSError, ValueError, RecursionError) as error:
        reason = f"what the cells gave cannot be read: {error}"
        raise EngineError(problem("render-failed", reason=reason)) from error
    if not isinstance(value, dict):
        raise EngineError(problem("render-failed", reason="what the cells gave cannot be read"))
    return value


def _script(path: Path) -> bytes:
    return read_untrusted(path, SCRIPT_BYTES_MAX) if path.exists() else b""


def _execution(result: Mapping[str, object], blocks: Sequence[int], plotly: bytes) -> Execution:
    items = result.get("items")
    pairs = list(zip(blocks, items if isinstance(items, list) else (), strict=False))
    prefix = result.get("prefix")
    return Execution(
        prefix=Path(prefix) if isinstance(prefix, str) and prefix else None,
        shown={block: outputs(item["outputs"]) for block, item in pairs if "outputs" in item},
        values={block: tuple(_inline(value) for value in item["values"]) for block, item in pairs if "values" in item},
        failure=_failure(result.get("failure"), blocks),
        plotly=plotly,
    )


def _inline(value: Mapping[str, str]) -> str:
    return str(value["markdown"]) if "markdown" in value else escaped(str(value.get("text")))


def _failure(value: object, blocks: Sequence[int]) -> Failure | None:
    if not isinstance(value, dict):
        return None
    item = value.get("item")
    block = blocks[item] if isinstance(item, int) and 0 <= item < len(blocks) else None
    facts = {**_mapping(value.get("facts")), "names": value.get("names")}
    return Failure(str(value.get("kind")), block, _mapping(value.get("error")), facts)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
