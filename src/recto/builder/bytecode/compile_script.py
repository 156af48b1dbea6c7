"""Run by the base with `-I`: compiles sources, each in a worker that may die of it, and tells what is done.

The only argument is a JSON file: `out` a directory, `processes` how many workers, `distributions` a list of `key` and
`sources` (pairs of the path below site-packages and the file to read). For each distribution that is done, a file
`KEY.json` in `out`: `files` (pairs of the compiled file's path below site-packages and its name in `out`) and `failed`;
then its key as one line on stdout.

Compiling runs nothing of a source. But a source can make the compiler run out of stack or memory: then its worker dies,
and only this source is failed. Code objects get the path below site-packages as their file name, the same in every
environment; the import system puts the real one there when it loads them.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import struct
import sys
import warnings
from collections.abc import Iterator
from importlib import _bootstrap_external as external
from importlib.util import cache_from_source, source_hash
from typing import NamedTuple

_TASK = struct.Struct("=I")
_DONE, _FAILED, _TROUBLE = b"+", b"-", b"!"


class Task(NamedTuple):
    """One source: its distribution's position, its path below site-packages, and the file to read."""

    distribution: int
    path: str
    source: str


class Worker:
    """A process that compiles one task after the other."""

    def __init__(self, tasks: list[Task], out: str) -> None:
        here, there = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(here[1])
            os.close(there[0])
            _work(tasks, out, here[0], there[1])
            os._exit(0)
        os.close(here[0])
        os.close(there[1])
        self._requests, self.answers = here[1], there[0]
        self.task: int | None = None

    def give(self, task: int) -> None:
        """Starts a task."""
        self.task = task
        os.write(self._requests, _TASK.pack(task))

    def end(self) -> None:
        """Ends the process, which is idle or dead."""
        os.close(self._requests)
        os.close(self.answers)
        # Later workers hold copies of the pipe, so it would wait for ever for an end of its requests.
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _work(tasks: list[Task], out: str, requests: int, answers: int) -> None:
    while request := os.read(requests, _TASK.size):
        (task,) = _TASK.unpack(request)
        try:
            _compile(tasks[task], os.path.join(out, str(task)))  # noqa: PTH118
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            os.write(answers, _FAILED)
        except OSError as error:
            # The disk's trouble is not the source's: nothing may be kept as if it did not compile.
            print(error, file=sys.stderr)  # noqa: T201
            os.write(answers, _TROUBLE)
        else:
            os.write(answers, _DONE)


def _compile(task: Task, target: str) -> None:
    with open(task.source, "rb") as file:  # noqa: PTH123
        text = file.read()
    code = compile(text, task.path, "exec", dont_inherit=True, optimize=0)
    content = external._code_to_hash_pyc(code, source_hash(text), False)  # type: ignore[attr-defined]
    with open(target, "xb") as file:  # noqa: PTH123
        file.write(content)


def _results(tasks: list[Task], out: str, processes: int) -> Iterator[tuple[int, bool]]:
    """Each task with whether it compiled, as it is done."""
    waiting = iter(range(len(tasks)))
    with selectors.DefaultSelector() as selector:

        def start() -> None:
            worker = Worker(tasks, out)
            selector.register(worker.answers, selectors.EVENT_READ, worker)
            go_on(worker)

        def go_on(worker: Worker) -> None:
            task = next(waiting, None)
            if task is None:
                stop(worker)
            else:
                worker.give(task)

        def stop(worker: Worker) -> None:
            selector.unregister(worker.answers)
            worker.end()

        for _ in range(min(processes, len(tasks))):
            start()
        while selector.get_map():
            for key, _ in selector.select():
                worker: Worker = key.data
                answer, task = os.read(worker.answers, 1), worker.task
                if answer == _TROUBLE or task is None:
                    raise SystemExit(1)
                if answer:
                    go_on(worker)
                else:
                    stop(worker)
                    start()
                yield task, answer == _DONE


def main(request_path: str) -> None:
    """Prints a line for each distribution that is done."""
    warnings.simplefilter("ignore")
    with open(request_path, encoding="utf-8") as file:  # noqa: PTH123
        request = json.load(file)
    distributions = request["distributions"]
    tasks = [
        Task(position, path, source)
        for position, distribution in enumerate(distributions)
        for path, source in distribution["sources"]
    ]
    left = [len(distribution["sources"]) for distribution in distributions]
    files: list[list[tuple[str, str]]] = [[] for _ in distributions]
    failed: list[list[str]] = [[] for _ in distributions]

    def tell(position: int) -> None:
        key = distributions[position]["key"]
        with open(os.path.join(request["out"], f"{key}.json"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
            json.dump({"files": files[position], "failed": failed[position]}, file)
        print(key, flush=True)  # noqa: T201

    for position, count in enumerate(left):
        if count == 0:
            tell(position)
    for number, compiled in _results(tasks, request["out"], request["processes"]):
        task = tasks[number]
        if compiled:
            files[task.distribution].append((cache_from_source(task.path, optimization=""), str(number)))
        else:
            failed[task.distribution].append(task.path)
        left[task.distribution] -= 1
        if left[task.distribution] == 0:
            tell(task.distribution)


if __name__ == "__main__":
    sys.setrecursionlimit(1000)
    main(sys.argv[1])
