"""What went wrong in a failed run of Quarto: its text to problems, with the cell and the line where they are known."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recto.engines.base import Job
from recto.engines.quarto.source import Cell, Document
from recto.problems import Problem, Source, problem
from recto.problems.diagnosis import diagnose
from recto.problems.modules import hint_for_module, missing_submodule
from recto.sandbox.beneath import Beneath

_RULE = re.escape("-" * 18)
_BLOCK = re.compile(
    rf"^.*An error occurred while executing the following cell:\n{_RULE}\n(?P<source>.*?)\n{_RULE}\n(?P<rest>.*)",
    re.MULTILINE | re.DOTALL,
)
_RAISED = re.compile(r"^(?P<error>[A-Za-z_][\w.]*(?:: .*)?)$", re.MULTILINE)
# IPython writes `Cell In[3], line 2`; for a syntax error the same.
_IN_CELL = re.compile(r"^\s*Cell In\s?\[\d+\], line (?P<line>\d+)", re.MULTILINE)
_PROGRESS = re.compile(r"^\s*Cell (\d+)/(\d+)\b(.*)", re.MULTILINE)
_OPTION = re.compile(r"^#\s*\| ?")
_MODULE = re.compile(r"No module named '(?P<name>[\w.]{1,200})'")
_FORMAT = re.compile(r"Unknown (?:output )?format:? '?(?P<format>[\w.+-]+)")

# What a diagnosis says when it knows no more than that something failed: the failing cell then says it better.
_VAGUE = frozenset({"cause-unknown", "cell-error", "render-failed"})
_ERROR_LEVEL = 40
_LOG_BYTES_MAX = 1_000_000


class FailedCell(Struct, frozen=True):
    """The cell that raised: its number and place where they are known, and the error's text."""

    number: int | None
    source: Source
    error: str


def problems(log: str, errors: tuple[str, ...], document: Document, job: Job) -> tuple[Problem, ...]:
    """The problems of a failed run, the most likely cause first; `errors` are those that Quarto itself logged."""
    cell = failed_cell(log, document, job)
    found = diagnose(log)
    if cell is None:
        return _without_cell(found, log, errors, document, job)
    part = missing_submodule(cell.error)
    if part is not None:
        return (_missing_module(part, cell.source, found[0].excerpt),)
    telling = tuple(_in_full(replace(p, source=p.source or cell.source), cell) for p in found if p.code not in _VAGUE)
    return telling or (_cell_error(cell, job, found[0].excerpt),)


def failed_cell(log: str, document: Document, job: Job) -> FailedCell | None:
    """The cell that the log shows as failed, or None where it shows none."""
    block = _BLOCK.search(log)
    if block is None:
        return None
    raised = _RAISED.findall(block["rest"])
    inner = _IN_CELL.search(block["rest"])
    shown = _last_shown(log)
    same = [cell for cell in document.cells if _code(cell)[1] == _lines(block["source"])]
    cell = next((cell for cell in same if cell.number == shown), same[0] if same else None)
    return FailedCell(
        number=cell.number if cell else shown,
        source=_place(cell, int(inner["line"]) if inner else 1, job),
        error=raised[-1] if raised else "an error without a message",
    )


def running_cell(log: str, document: Document, job: Job) -> Source | None:
    """Where the cell stands that ran at the end of the log, or None where none did."""
    shown = _last_shown(log)
    cell = next((cell for cell in document.cells if cell.number == shown), None)
    return _place(cell, 1, job) if cell else None


def errors_in(log_file: Path) -> tuple[str, ...]:
    """The messages of level ERROR in Quarto's JSON log; what cannot be read counts as absent."""
    try:
        with Beneath(log_file.parent, private=True) as home:
            data = home.head(log_file.name, _LOG_BYTES_MAX)
    except OSError:
        return ()
    return tuple(_errors(data.decode("utf-8", "replace")))


def _errors(text: str) -> Iterator[str]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        level, said = (entry.get("level"), entry.get("msg")) if isinstance(entry, dict) else (None, None)
        if isinstance(level, int) and level >= _ERROR_LEVEL and isinstance(said, str):
            yield said.strip()


def _without_cell(
    found: tuple[Problem, ...], log: str, errors: tuple[str, ...], document: Document, job: Job
) -> tuple[Problem, ...]:
    """As diagnosed; where nothing was recognised, the words of Quarto itself."""
    first = found[0]
    if first.code == "kernel-died":
        source = running_cell(log, document, job)
        died = problem("kernel-died", document=_name(job.document, job), source=source, excerpt=first.excerpt)
        return (died, *found[1:])
    if first.code != "cause-unknown":
        return found
    if match := _FORMAT.search(log):
        known = "the formats of Quarto, such as html, pdf, docx and typst"
        return (problem("format-unknown", engine="quarto", format=match["format"], formats=known),)
    if errors:
        reason = errors[0].removeprefix("ERROR:").strip().split("\n")[0].rstrip(".")
        return (problem("render-failed", reason=reason, excerpt=first.excerpt),)
    return found


def _in_full(found: Problem, cell: FailedCell) -> Problem:
    """The problem with the whole dotted name of its module; a diagnosis keeps to the first part."""
    module = _MODULE.search(cell.error)
    if found.code != "missing-module" or module is None or module["name"].split(".")[0] != found.package:
        return found
    return _missing_module(module["name"], found.source, found.excerpt)


def _missing_module(module: str, source: Source | None, excerpt: str) -> Problem:
    return problem("missing-module", package=module, source=source, excerpt=excerpt, hint=hint_for_module(module))


def _cell_error(cell: FailedCell, job: Job, excerpt: str) -> Problem:
    number = "?" if cell.number is None else cell.number
    error, name = cell.error.rstrip("."), _name(job.document, job)
    return problem("cell-error", document=name, cell=number, error=error, source=cell.source, excerpt=excerpt)


def _last_shown(log: str) -> int | None:
    """The cell that ran at the end of the log: the one named last, or the one after it where that one was done."""
    shown = _PROGRESS.findall(log)
    if not shown:
        return None
    number, total, rest = map(str, shown[-1])
    return min(int(number) + rest.rstrip().endswith("Done"), int(total))


def _place(cell: Cell | None, within: int, job: Job) -> Source:
    """Where a line of a cell's code stands; its options, which Quarto takes off before it runs it, come first."""
    if cell is None:
        return Source(_name(job.document, job))
    return Source(_name(cell.file, job), None if cell.line is None else cell.line + _code(cell)[0] + within - 1)


def _name(file: Path, job: Job) -> str:
    return Path(os.path.relpath(file, job.project)).as_posix()


def _code(cell: Cell) -> tuple[int, list[str]]:
    """How many option lines a cell begins with, and its code without them."""
    lines = _lines(cell.source)
    options = next((n for n, line in enumerate(lines) if not _OPTION.match(line)), len(lines))
    return options, _lines("\n".join(lines[options:]))


def _lines(source: str) -> list[str]:
    """The lines of a source; blank ones at its end are not told apart, since Quarto drops them."""
    return [line.rstrip() for line in source.rstrip().split("\n")]
