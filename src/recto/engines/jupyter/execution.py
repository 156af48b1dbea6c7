"""The cells of a document, run once in the project's interpreter, and what they gave."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from recto.engines.base import Job
from recto.engines.jupyter.commands import Commands
from recto.engines.jupyter.document import Block, Cell, Document, Markdown
from recto.engines.jupyter.inline import escaped, expressions
from recto.engines.jupyter.options import HEIGHT_INCHES, WIDTH_INCHES
from recto.engines.jupyter.outputs import Output, outputs
from recto.engines.jupyter.result import Ended, Result, Value, plain
from recto.engines.jupyter.stopping import Stopped
from recto.engines.jupyter.workplace import ENTERED, Workplace, unreadable
from recto.problems import Source
from recto.progress import Event, Progress
from recto.sandbox.base import Outcome
from recto.sandbox.told import told_path

if TYPE_CHECKING:
    from recto.engines.jupyter.warm import Kernels

# More than any document has: what is counted beyond is no count.
_CELLS_MAX = 1_000_000


class Failure(Struct, frozen=True):
    """Why running stopped: `block` is the index of the block, None where it was before or outside of any."""

    kind: str
    block: int | None
    error: Mapping[str, object]
    facts: Mapping[str, object]


class Execution(Struct, frozen=True):
    """What the blocks gave, by their index in the document: outputs of cells, Markdown of inline values.

    `timings_ms` holds `kernel`, from the wish for one to its first cell, and `kernel_age`, how long one that was warm
    had waited.
    """

    prefix: Path | None = None
    shown: Mapping[int, tuple[Output, ...]] = field(default_factory=dict)
    values: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    failure: Failure | None = None
    plotly: bytes = b""
    timings_ms: Mapping[str, float] = field(default_factory=dict)


def execute(
    document: Document,
    file: str,
    commands: Commands,
    work: Path,
    figures: Sequence[str],
    progress: Progress,
    kernels: Kernels | None = None,
) -> Execution:
    """What came of the document's cells; of a document that runs nothing, nothing, without starting a kernel.

    Raises Stopped, at the cell of `file` that ran then.
    `figures` are matplotlib's names of the image types that are wanted. One of `kernels` that fits is used; one
    that turns out to be of no use is a kernel started now.
    """
    items = {index: item for index, block in enumerate(document.blocks) if (item := _item(block))}
    if not items:
        return Execution()
    request = {**_request(document, commands.job), "items": list(items.values()), "figures": list(figures)}
    run = _Run(request, tuple(items), commands, _Steps(progress))
    try:
        warm = None if kernels is None else run.warm(kernels)
        return run.cold(work) if warm is None else warm
    except Stopped as error:
        raise error.at(Source(file, _line(document, run.steps.done))) from error


class _Steps(Struct):
    """What the runner reports on its way."""

    progress: Progress
    wished: float = field(default_factory=time.monotonic)
    entered: float | None = None
    # How many cells were done, None before the first was begun.
    done: int | None = None

    def hear(self, line: bytes) -> None:
        """Takes one line of the runner."""
        if line == ENTERED:
            self.entered = time.monotonic()
            return
        try:
            step = json.loads(line)
            done, total = step["done"], step["total"]
        except (ValueError, KeyError, TypeError, RecursionError):
            # Not one of our lines: whoever wrote it is not to be believed anyway.
            return
        if type(done) is int and type(total) is int and 0 <= done <= total <= _CELLS_MAX:
            self.done = done
            self.progress(Event("executing", "", done, total, "cells"))

    @property
    def timings_ms(self) -> dict[str, float]:
        """How long the first cell was waited for."""
        return {} if self.entered is None else {"kernel": round((self.entered - self.wished) * 1000, 1)}


class _Run(Struct, frozen=True):
    """One request, whichever runner serves it. `blocks` are the indexes of its items in the document."""

    request: Mapping[str, object]
    blocks: Sequence[int]
    commands: Commands
    steps: _Steps

    def warm(self, kernels: Kernels) -> Execution | None:
        """What came of it with a runner that waited; None where none did or it could not serve."""
        runner = kernels.take(self.commands.job)
        if runner is None:
            return None
        with runner:
            outcome = runner.serve(self.request, self.steps.hear, self.commands.stop)
            if outcome is None:
                return None
            age = {"kernel_age": round(runner.waited_seconds * 1000, 1)}
            return self._execution(self.commands.judged(outcome), runner.workplace, age)

    def cold(self, root: Path) -> Execution:
        """What came of it with a runner that starts now."""
        workplace = Workplace.make(root)
        workplace.put(self.request)
        command = workplace.command(self.commands.job, self.commands.seconds_left)
        return self._execution(self.commands.perform(command, self.steps.hear), workplace, {})

    def _execution(self, outcome: Outcome, workplace: Workplace, timings_ms: Mapping[str, float]) -> Execution:
        if not outcome.succeeded:
            ended = {"code": outcome.code, **_counted(outcome)}
            return Execution(failure=Failure("runner", None, {}, ended))
        try:
            execution = _read(workplace.result(), self.blocks, workplace.plotly())
        except RecursionError as error:
            # What a cell displayed is turned into text.
            raise unreadable("it is nested too deeply") from error
        if execution.failure is not None:
            facts = {**execution.failure.facts, **_counted(outcome)}
            execution = replace(execution, failure=replace(execution.failure, facts=facts))
        return replace(execution, timings_ms={**self.steps.timings_ms, **timings_ms})


def _counted(outcome: Outcome) -> dict[str, object]:
    """What the sandbox saw of limits, for whoever words the failure."""
    return {"memory_kills": outcome.memory_kills, "refused_processes": outcome.refused_processes}


def _line(document: Document, done: int | None) -> int | None:
    """The line of the cell that runs after so many, None where it is not known which one does."""
    cells = [block for block in document.blocks if isinstance(block, Cell) and block.options.evaluate]
    return cells[done].code_line if done is not None and 0 <= done < len(cells) else None


def _item(block: Block) -> dict[str, object] | None:
    if isinstance(block, Markdown):
        found = () if block.verbatim else expressions(block.text)
        return {"kind": "inline", "expressions": [inline.expression for inline in found]} if found else None
    chosen = block.options
    size = [chosen.width_inches, chosen.height_inches]
    return {"kind": "cell", "code": block.code, "error": chosen.error, "size": size} if chosen.evaluate else None


def _request(document: Document, job: Job) -> dict[str, object]:
    execute = document.metadata.get("execute")
    seconds = execute.get("timeout") if isinstance(execute, dict) else None
    return {
        "directory": str(job.document.parent),
        "size": [WIDTH_INCHES, HEIGHT_INCHES],
        "cell_seconds": seconds if _is_number(seconds) else None,
    }


def _is_number(seconds: object) -> bool:
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds > 0


def _read(result: Result, blocks: Sequence[int], plotly: bytes) -> Execution:
    pairs = list(zip(blocks, result.items, strict=False))
    return Execution(
        prefix=_path(result.prefix),
        shown={block: outputs(item.outputs) for block, item in pairs if item.outputs is not None},
        values={block: tuple(map(_inline, item.values)) for block, item in pairs if item.values is not None},
        failure=None if result.failure is None else _failure(result.failure, blocks),
        plotly=plotly,
    )


def _path(text: str | None) -> Path | None:
    """A path that system calls take; raises EngineError for what can be none."""
    try:
        return told_path(text) if text else None
    except ValueError as error:
        raise unreadable("its prefix is no path") from error


def _inline(value: Value) -> str:
    return escaped(str(value.text)) if value.markdown is None else value.markdown


def _failure(ended: Ended, blocks: Sequence[int]) -> Failure:
    item = ended.item
    block = blocks[item] if item is not None and 0 <= item < len(blocks) else None
    return Failure(ended.kind, block, plain(ended.error), {**plain(ended.facts), "names": ended.names})
