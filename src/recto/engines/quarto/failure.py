"""What went wrong in a failed run of Quarto: its text to problems, with the cell and the line where they are known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recto.engines.quarto.source import Cell, Document
from recto.problems import Problem, Source, problem
from recto.problems.diagnosis import diagnose

_RULE = re.escape("-" * 18)
_BLOCK = re.compile(
    rf"^.*An error occurred while executing the following cell:\n{_RULE}\n(?P<source>.*?)\n{_RULE}\n(?P<rest>.*)",
    re.MULTILINE | re.DOTALL,
)
_RAISED = re.compile(r"^(?P<error>[A-Za-z_][\w.]*(?:: .*)?)$", re.MULTILINE)
# IPython writes `Cell In[3], line 2`; for a syntax error the same.
_IN_CELL = re.compile(r"^\s*Cell In\s?\[\d+\], line (?P<line>\d+)", re.MULTILINE)
_PROGRESS = re.compile(r"^\s*Cell (?P<number>\d+)/(?P<total>\d+)\b", re.MULTILINE)
_OPTION = re.compile(r"^#\s*\| ?")
_FORMAT = re.compile(r"Unknown (?:output )?format:? '?(?P<format>[\w.+-]+)")

# What a diagnosis says when it knows no more than that something failed: the failing cell then says it better.
_VAGUE = frozenset({"cause-unknown", "cell-error", "render-failed"})
_ERROR_LEVEL = 40
_LOG_BYTES_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class FailedCell:
    """The cell that raised: its number and line where the document holds it word for word, and the error's text."""

    number: int | None
    line: int | None
    error: str


def problems(log: str, errors: tuple[str, ...], document: Document, name: str) -> tuple[Problem, ...]:
    """The problems of a failed run, the most likely cause first; `name` is the document within its project."""
    cell = failed_cell(log, document)
    found = diagnose(log)
    if cell is None:
        return _without_cell(found, log, errors)
    source = Source(name, cell.line)
    telling = tuple(replace(p, source=p.source or source) for p in found if p.code not in _VAGUE)
    return telling or (_cell_error(cell, name, source, found),)


def failed_cell(log: str, document: Document) -> FailedCell | None:
    """The cell that the log shows as failed, or None where it shows none."""
    block = _BLOCK.search(log)
    if block is None:
        return None
    raised = _RAISED.findall(block["rest"])
    inner = _IN_CELL.search(block["rest"])
    shown = [int(match["number"]) for match in _PROGRESS.finditer(log)]
    same = [cell for cell in document.cells if _code(cell)[1] == _lines(block["source"])]
    cell = next((cell for cell in same if cell.number in shown[-1:]), same[0] if same else None)
    return FailedCell(
        number=cell.number if cell else (shown[-1] if shown else None),
        line=_line(cell, int(inner["line"]) if inner else 1),
        error=raised[-1] if raised else "an error without a message",
    )


def errors_in(log_file: Path) -> tuple[str, ...]:
    """The messages of level ERROR in Quarto's JSON log; what cannot be read counts as absent."""
    try:
        with log_file.open("rb") as file:
            data = file.read(_LOG_BYTES_MAX)
    except FileNotFoundError:
        return ()
    return tuple(_errors(data.decode("utf-8", "replace")))


def _errors(text: str) -> Iterator[str]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("level"), int) and entry["level"] >= _ERROR_LEVEL:
            yield str(entry.get("msg", "")).strip()


def _without_cell(found: tuple[Problem, ...], log: str, errors: tuple[str, ...]) -> tuple[Problem, ...]:
    """As diagnosed; where nothing was recognised, the words of Quarto itself."""
    if found[0].code != "cause-unknown":
        return found
    if match := _FORMAT.search(log):
        known = "the formats of Quarto, such as html, pdf, docx and typst"
        return (problem("format-unknown", engine="quarto", format=match["format"], formats=known),)
    if errors:
        reason = errors[0].removeprefix("ERROR:").strip().split("\n")[0].rstrip(".")
        return (problem("render-failed", reason=reason, excerpt=found[0].excerpt),)
    return found


def _cell_error(cell: FailedCell, name: str, source: Source, found: tuple[Problem, ...]) -> Problem:
    number = "?" if cell.number is None else cell.number
    error = cell.error.rstrip(".")
    return problem("cell-error", document=name, cell=number, error=error, source=source, excerpt=found[0].excerpt)


def _line(cell: Cell | None, within: int) -> int | None:
    """The line in the file of a line of a cell's code; its options, which Quarto takes off, come first."""
    if cell is None or cell.line is None:
        return None
    return cell.line + _code(cell)[0] + within - 1


def _code(cell: Cell) -> tuple[int, list[str]]:
    """How many option lines a cell begins with, and its code without them."""
    lines = _lines(cell.source)
    options = next((n for n, line in enumerate(lines) if not _OPTION.match(line)), len(lines))
    return options, _lines("\n".join(lines[options:]))


def _lines(source: str) -> list[str]:
    """The lines of a source; blank ones at its end are not told apart, since Quarto drops them."""
    return [line.rstrip() for line in source.rstrip().split("\n")]
