"""Python tracebacks, as Python, IPython, pytest and nbclient print them: each exception line read as a cause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from recto.problems.diagnosis.exceptions import JUPYTER_MODULES, Cause, classified
from recto.problems.diagnosis.finding import MATCHES_MAX, Finding
from recto.problems.modules import hint_for_module

_EXCEPTIONS_MAX = 200
# `Name: words` in the first columns, also behind pytest's `E` and the bar of an exception group. A name that is no
# usual one counts only where an IPython traceback was headed by it.
_RAISED = re.compile(
    r"^(?:E\s{1,8}| {1,60}\| )?(?P<module>(?:[a-zA-Z_]\w{0,60}\.){0,8})(?P<name>[A-Z_]\w{0,80}):"
    r"(?: (?P<words>[^\n]{0,2000}))?$",
    re.MULTILINE,
)
_USUAL = re.compile(r"(?:Error|Exception|ExceptionGroup|Interrupt|Exit|Warning|NotFound|Killed|NoSuchKernel)$")
_HEADED = re.compile(r"^(\w{1,80}?)\s{0,80}Traceback \(most recent call last\)", re.MULTILINE)
_BARE = re.compile(
    r"^(?P<name>KeyboardInterrupt|MemoryError|AssertionError|StopIteration|NotImplementedError)\s{0,9}$", re.MULTILINE
)

# Signs that cells of a document ran.
_CELLS = re.compile(
    r"^(?:Cell |\s{0,4}Cell In|<ipython-input|Input In )|An error occurred while executing the following cell"
    r"|nbclient|nbconvert|jupyter_cache|IPython[\\/]core|^\S{1,80}\s{0,80}Traceback \(most recent call last\)",
    re.MULTILINE,
)
# Where the tool that runs cells reports its own bookkeeping, which is nobody's error.
_BOOKKEEPING = re.compile(r"no running event loop|There is no current event loop")

# What runs the cells, and the words that it wraps a cell's own error in.
_RUNNERS = ("pip.", "nbclient.", "jupyter_client.", "papermill.", "zmq.")
# What the failing cell had printed, as nbclient shows it before the traceback. Some of IPython's own errors go to the
# other stream and nowhere else, so that is read.
_PRINTED = re.compile(r"^----- stdout -----$", re.MULTILINE)
_PRINTED_END = re.compile(r"^-{18}$", re.MULTILINE)

_RUN_AS_MODULE = re.compile(r"^\S{1,300}: No module named (?P<module>[A-Za-z_][\w.]{0,100})\s{0,9}$", re.MULTILINE)
_COMMAND = re.compile(r"Jupyter command `jupyter-[\w-]{1,40}` not found|\bjupyter: (?:command )?not found")
_NO_JUPYTER = re.compile(r"Jupyter is not available in this Python installation|Jupyter:\s{1,9}\(None\)")


def findings(text: str) -> Iterator[Finding]:
    """The causes that tracebacks in the text name; mere errors only where cells ran, and of those the last."""
    in_cells = _CELLS.search(text) is not None
    headed = frozenset(_HEADED.findall(text))
    last: Finding | None = None
    for match in _raised(text, headed):
        if _BOOKKEEPING.search(match[0]):
            continue
        cause = classified(match["name"], _words(match, text))
        finding = _finding(cause, match)
        if cause.code != "cell-error":
            yield replace(finding, weak=cause.code == "cell-missing-file" and not in_cells)
        elif in_cells and not match["module"].startswith(_RUNNERS):
            last = finding
    if last is not None:
        yield last
    yield from _without_traceback(text)


def _raised(text: str, headed: frozenset[str]) -> list[re.Match[str]]:
    printed = list(_printed(text))
    found = [
        match
        for pattern in (_RAISED, _BARE)
        for match in pattern.finditer(text)
        if (_USUAL.search(match["name"]) or match["name"] in headed)
        and not any(start < match.start() < end for start, end in printed)
    ]
    found.sort(key=lambda match: match.start())
    return [*found[: _EXCEPTIONS_MAX // 2], *found[_EXCEPTIONS_MAX // 2 :][-_EXCEPTIONS_MAX // 2 :]]


def _printed(text: str) -> Iterator[tuple[int, int]]:
    """Where the text shows what cells had printed, first to last, at most eight."""
    for match in islice(_PRINTED.finditer(text), MATCHES_MAX):
        end = _PRINTED_END.search(text, match.end())
        if end:
            yield match.end(), end.start()


def _words(match: re.Match[str], text: str) -> str:
    """The exception's words; those that libraries continue on the next lines included, as far as they matter."""
    words = match.groupdict().get("words") or ""
    return words + text[match.end() : match.end() + 600] if match["name"] in ("ImportError", "OSError") else words


def _finding(cause: Cause, match: re.Match[str]) -> Finding:
    return Finding(cause.code, match.start(), match.end(), cause.package, cause.facts)


def _without_traceback(text: str) -> Iterator[Finding]:
    """What Python and Jupyter say on one line: `python: No module named X`, a command that is not there."""
    for match in _RUN_AS_MODULE.finditer(text):
        module = match["module"].split(".")[0]
        if module == "pip" or match[0].startswith(("ModuleNotFoundError", "ImportError", "E ")):
            continue
        code = "jupyter-missing" if module in JUPYTER_MODULES else "missing-module"
        yield Finding(code, match.start(), match.end(), module, {"hint": hint_for_module(match["module"])})
    for pattern in (_COMMAND, _NO_JUPYTER):
        found = pattern.search(text)
        if found:
            yield Finding("jupyter-missing", found.start(), found.end())
