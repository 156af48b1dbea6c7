"""Why the cells could not all be run, as problems placed in the document."""

from __future__ import annotations

import re
import signal

from msgspec.structs import replace

from recto.engines.jupyter.document import Block, Cell, Document
from recto.engines.jupyter.execution import Failure
from recto.engines.jupyter.outputs import plain
from recto.problems import Problem, Source, problem
from recto.problems.diagnosis import diagnose
from recto.problems.diagnosis.exceptions import from_exception
from recto.problems.modules import hint_for_module, missing_submodule
from recto.sandbox.exceeded import says_refused

EXCERPT_LINES = 20
# What a diagnosis adds to what the kernel says itself; other codes are less exact than that.
_TELLING = frozenset({"shared-library-missing", "abi-mismatch"})


class FailureReader:
    """Words failures of one document; `file` is its name within the project."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file

    def problems(self, failure: Failure, log: str) -> tuple[Problem, ...]:
        """The problems of this failure, the most likely cause first; `log` is what the processes said."""
        if failure.kind == "error":
            return (self._raised(failure),)
        if failure.kind == "timeout":
            seconds = _timeout(self._document)
            where = self._where(failure)
            return (
                problem("cell-timeout", source=where, document=self._file, cell=self._cell(failure), seconds=seconds),
            )
        if _out_of_memory(failure):
            return (problem("out-of-memory", source=self._where(failure)),)
        if _ended_by(failure) == signal.SIGXCPU:
            return (problem("processor-limit", source=self._where(failure)),)
        if _refused(failure, log):
            return (problem("process-limit", source=self._where(failure), excerpt=_tail(log)),)
        if failure.kind == "died":
            return (problem("kernel-died", source=self._where(failure), document=self._file, excerpt=_tail(log)),)
        if failure.kind == "lacking":
            names = failure.facts.get("names")
            joined = " ".join(map(str, names)) if isinstance(names, list) else "a package"
            return (problem("base-lacks-kernel", names=joined, python="python"),)
        telling = tuple(found for found in diagnose(log) if found.code != "cause-unknown")
        if telling:
            return telling
        reason = f"the process that runs the cells ended with status {failure.facts.get('code')}"
        return (problem("render-failed", reason=reason, excerpt=_tail(log)),)

    def _raised(self, failure: Failure) -> Problem:
        kinds = failure.facts.get("kinds")
        kinds = kinds if isinstance(kinds, list) else []
        where, text = self._where(failure), _traceback(failure)
        module = failure.facts.get("name")
        if _refused(failure, f"{failure.error.get('evalue')}"):
            return problem("process-limit", source=where, excerpt=text)
        if "ModuleNotFoundError" in kinds and isinstance(module, str):
            return _missing_module(module, where, text)
        part = missing_submodule(str(failure.error.get("evalue") or "")) if "ImportError" in kinds else None
        if part is not None:
            return _missing_module(part, where, text)
        if "ImportError" in kinds or "OSError" in kinds:
            telling = next((found for found in diagnose(text) if found.code in _TELLING), None)
            if telling is not None:
                # With the frames: they say whose import it was.
                return replace(telling, source=where, excerpt=text)
        path = failure.facts.get("file")
        if "FileNotFoundError" in kinds and isinstance(path, str):
            return problem("cell-missing-file", source=where, path=path, excerpt=text)
        return self._cell_error(failure, where, text)

    def _cell_error(self, failure: Failure, where: Source, text: str) -> Problem:
        name, value = (plain(str(failure.error.get(key) or "")) for key in ("ename", "evalue"))
        error = " ".join(f"{name}: {value}".rstrip(": ").split()).rstrip(".")
        if "expression" in failure.facts:
            expression = failure.facts["expression"]
            return problem(
                "inline-error", source=where, document=self._file, expression=expression, error=error, excerpt=text
            )
        cell = self._cell(failure)
        told = from_exception(name, value, document=self._file, traceback=text, source=where)
        if told.code != "cell-error":
            return told
        return problem("cell-error", source=where, document=self._file, cell=cell, error=error, excerpt=text)

    def _cell(self, failure: Failure) -> str:
        block = self._block(failure)
        return str(block.number) if isinstance(block, Cell) else "?"

    def _where(self, failure: Failure) -> Source:
        block = self._block(failure)
        if isinstance(block, Cell):
            line = failure.facts.get("line")
            lines = block.code.count("\n") + 1
            within = line if isinstance(line, int) and 1 <= line <= lines else 1
            return Source(self._file, None if block.code_line is None else block.code_line + within - 1)
        if block is None or block.line is None:
            return Source(self._file)
        before, found, _ = block.text.partition(f"{failure.facts.get('expression')}")
        return Source(self._file, block.line + (before.count("\n") if found else 0))

    def _block(self, failure: Failure) -> Block | None:
        return None if failure.block is None else self._document.blocks[failure.block]


def _out_of_memory(failure: Failure) -> bool:
    """Whether the kernel ended what ran the cells because memory ran out."""
    return _ended_by(failure) == signal.SIGKILL and _number(failure.facts.get("memory_kills")) > 0


def _ended_by(failure: Failure) -> int:
    """The signal that ended what ran the cells; 0 or less where it was none."""
    return _number(failure.facts.get("signal")) if failure.kind == "died" else -_number(failure.facts.get("code"))


def _refused(failure: Failure, text: str) -> bool:
    """Whether a process or a thread was refused at the limit, and this failure says so."""
    return _number(failure.facts.get("refused_processes")) > 0 and says_refused(text)


def _number(fact: object) -> int:
    return fact if isinstance(fact, int) else 0


def _missing_module(module: str, where: Source, text: str) -> Problem:
    """What can be said without the project: who knows that adds the edit."""
    return problem("missing-module", package=module, source=where, excerpt=text, hint=hint_for_module(module))


def _timeout(document: Document) -> str:
    execute = document.metadata.get("execute")
    return str(execute.get("timeout")) if isinstance(execute, dict) else "?"


def _traceback(failure: Failure) -> str:
    """The end of the traceback as plain text."""
    lines = failure.error.get("traceback")
    return _tail(plain("\n".join(map(str, lines if isinstance(lines, list) else ()))))


def _tail(text: str) -> str:
    lines = [line.rstrip() for line in re.split(r"\r?\n", text.strip())]
    return "\n".join(lines[-EXCERPT_LINES:])
