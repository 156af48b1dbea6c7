"""Problems as the `output.log` that an unchanged Overleaf front end turns into entries with file and line.

That front end reads a log of TeX. What its reader does, and what is done here about it:

- It skips the first line; ours is a sentence.
- `/compile/FILE:N: message` begins an error. The reader takes the last `:N: ` of the line for the place, so no other
  is left in a message. All lines up to one that begins with `l.N`, and then those up to a second blank line, belong to
  that error; each of ours ends so, and its other lines are indented.
- `LaTeX Warning: ... line N` is a warning, of the file that an open parenthesis named last; each of ours is in one.
- A line of exactly 79 UTF-16 units is glued to the next, so none has that length.
- A line of the tool's own that begins with `!`, `.`, `/` or a warning's words would begin an entry that swallows what
  follows, so the tool's own text stands last and is indented.
- Only the first MiB is fetched, so the tool's text is cut in its middle to what the problems leave of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from recto.problems.diagnosis.redact import redacted
from recto.problems.diagnosis.text import bounded, clean
from recto.problems.forms.printable import one_line, printable_lines
from recto.problems.forms.terminal import advice
from recto.problems.problem import Problem, Source

BYTES_MAX = 1024 * 1024
# The panel shows a hundred entries; as many of the largest blocks leave something for the tool's text.
PROBLEMS_MAX = 100
_BLOCK_BYTES = 7_000
_LINE_CHARACTERS = 500
_FILE_CHARACTERS = 200

_OPENING = "The problems come first, then the text of the tools."
_RAW_HEADING = "The text of the tools:"
_CUT = "  [...]"
_GLUED = 79

_PLACE = re.compile(r":(?=\d+:)")
_LINE_NUMBER = re.compile(r"(lines?) (?=\d)")
_ENDS_A_PATH = re.compile(r"[()\\\[\]\"]")


def output_log(problems: Iterable[Problem], raw: str = "", *, document: str = "output.log") -> str:
    """The text of an `output.log`: one entry a problem, at most 100, then `raw` indented; at most 1 MiB as UTF-8.

    A problem without a file is placed at line 1 of `document`, a path in the project. An `info` becomes a warning,
    as a log of TeX has nothing less. Two problems that read the same become one entry. No credentials.
    """
    blocks = dict.fromkeys(_block(problem, document) for problem in problems)
    head = "\n".join([_OPENING, "", *list(blocks)[:PROBLEMS_MAX]])
    return head + _raw(raw, BYTES_MAX - len(head.encode()))


def _block(problem: Problem, document: str) -> str:
    source = problem.source or Source(document)
    line = max(source.line or 1, 1)
    message = _cut(redacted(one_line(problem.message))) or problem.code
    if problem.level != "error":
        return _warning(problem, _in_parentheses(_path(source.file)), line, message)
    details = [redacted(said) for said in (*advice(problem), *printable_lines(problem.excerpt))]
    shown = _source_line(problem, source.file, line)
    header = f"/compile/{_path(source.file)}:{line}: {_placeless(message)}"
    ending = [_unglued(f"l.{line} {_cut(redacted(shown))}".rstrip()), "", ""]
    return "\n".join([*_fitting([header, *(f"  {_cut(said)}" for said in details)]), *ending, ""])


def _warning(problem: Problem, path: str, line: int, message: str) -> str:
    """A warning is one line to that reader, so what to do stands in it too."""
    said = " ".join(redacted(one_line(part)) for part in (message, *advice(problem)))
    numberless = _LINE_NUMBER.sub("\\1\N{NO-BREAK SPACE}", _cut(said, 3 * _LINE_CHARACTERS))
    return "\n".join(
        [_unglued(f"(/compile/{path}"), _unglued(f"LaTeX Warning: {numberless} (line {line})"), "", ")", ""]
    )


def _source_line(problem: Problem, file: str, line: int) -> str:
    """The line that the problem is about, where its edit shows it."""
    edits = problem.fix.edits if problem.fix else ()
    return next((one_line(edit.old) for edit in edits if edit.old and (edit.file, edit.line) == (file, line)), "")


def _path(file: str) -> str:
    """The file as a path under the directory that the reader takes away again."""
    path = redacted(one_line(file)).replace("\\", "/").removeprefix("/compile/").removeprefix("./").lstrip("/")
    return _placeless(_cut(path, _FILE_CHARACTERS)) or "output.log"


def _in_parentheses(path: str) -> str:
    """The path without what the reader takes for its end: parentheses and the like, and a space behind a dot."""
    stem, dot, rest = _ENDS_A_PATH.sub("_", path).partition(".")
    return stem + dot + rest.replace(" ", "_")


def _placeless(text: str) -> str:
    """The text without anything that reads as `:N: `, or would with a space behind it."""
    return _PLACE.sub(": ", text)


def _cut(text: str, most: int = _LINE_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _unglued(line: str) -> str:
    """The line, longer by a space or two where its length would have the next line glued to it."""
    while len(line) == _GLUED or len(line.encode("utf-16-le")) // 2 == _GLUED:
        line += " "
    return line


def _fitting(lines: list[str]) -> list[str]:
    """The first of the lines, as many as a block may hold."""
    kept: list[str] = []
    left = _BLOCK_BYTES
    for line in map(_unglued, lines):
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    return kept


def _raw(raw: str, room: int) -> str:
    """The tool's text, each line indented; its head and its tail where the room does not hold all."""
    lines = [_unglued(f"  {line}") for line in printable_lines(redacted(clean(bounded(raw))))]
    if not lines:
        return ""
    text = "\n".join(["", _RAW_HEADING, *lines, ""])
    data = text.encode()
    if len(data) <= room:
        return text
    share = (room - len(_CUT) - 2) // 4
    head = _whole_lines(lines, share)
    tail = _whole_lines(reversed(lines), room - share - len(_CUT) - len(_RAW_HEADING) - 8)
    return "\n".join(["", _RAW_HEADING, *head, _CUT, *reversed(tail), ""])


def _whole_lines(lines: Iterable[str], room: int) -> list[str]:
    """The first lines that fit into so many bytes."""
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return kept
