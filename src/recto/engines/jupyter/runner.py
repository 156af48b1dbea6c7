"""Runs the cells of one document. A script for the project's interpreter, which has no recto: only Jupyter's packages.

`python -I runner.py START RESULT`: START names a JSON file with what is known before the document is, among it the
file of the request; the result is JSON too. Progress is one JSON object a line on stdout. Exit status 0 means that a
result was written, also where a cell failed; ABANDONED that nobody wants it, or that no cell has run and none may.

With `line`, the descriptor of a socket, it waits: it sends a byte when its kernel is ready, gets one when the request
is there, and the end of the line when none will come.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

NEEDED = ("nbclient", "nbformat", "jupyter_client", "ipykernel")
PLOTLY = "application/vnd.plotly.v1+json"
# Starting a kernel takes one second; a machine that swaps may take a minute.
START_SECONDS = 120
# How long a message that the kernel has published may take to us; it has reached us within a millisecond.
PUBLISHED_SECONDS = 0.2
# How soon a socket that the kernel has not made yet is tried again; by itself ZeroMQ waits for a tenth of a second.
RETRY_MILLISECONDS = 5
# A killed process is gone within milliseconds, unless it hangs in the operating system.
KILLED_SECONDS = 2
# A Unix socket's path holds 107 bytes (unix(7)), and the kernel adds a suffix of two to ours.
SOCKET_PATH_BYTES = 100
# Beside `sys.path`, what decides which packages there are. Not the prefix itself: each lease on an environment marks it
# as used by the time of its directory. A first import that keeps its bytecode in a directory changes it as an install
# does: the first to wait over a base that is not compiled is of no use.
PLACES = (sys.executable, f"{sys.prefix}/pyvenv.cfg")
# EX_TEMPFAIL of sysexits(3).
ABANDONED = 75


def main(start_path: str, result_path: str) -> int:
    """The exit status."""
    start = json.loads(Path(start_path).read_text(encoding="utf-8"))
    # Opened before any cell runs: a cell that puts a link in its place gains no file written elsewhere.
    with open(result_path, "x", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(_result(start), file)
    return 0


def _result(start: dict[str, Any]) -> dict[str, Any]:
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        return {"failure": {"kind": "lacking", "names": lacking}}
    return asyncio.run(Session(start, _progress_descriptor()).run())


def _progress_descriptor() -> int:
    """Our stdout, kept for ourselves: the kernel inherits stderr in its place, so that no cell can write here."""
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return descriptor


class Kernel:
    """A started kernel of this very interpreter, and what it answers."""

    def __init__(self, runtime: Path) -> None:
        self.manager = _manager(runtime)
        self.client: Any = None
        self.died: asyncio.Future[None]
        self._process: Any = None

    async def start(self, directory: str) -> None:
        """Starts it in `directory`; it answers only after `connect`."""
        await self.manager.start_kernel(cwd=directory)
        self._process = self.manager.provisioner.process
        # Readable once the process has ended (pidfd_open(2)).
        self.died = _readable(os.pidfd_open(self._process.pid))

    async def connect(self) -> None:
        """Makes a client that hears what the kernel publishes. RuntimeError where the kernel does not answer.

        `wait_for_ready` of the client itself then listens for a fifth of a second of silence. But what was published
        before is told from the cells' own by what it answers.
        """
        import zmq

        self.manager.context.setsockopt(zmq.RECONNECT_IVL, RETRY_MILLISECONDS)
        client = self.manager.client()
        client.start_channels()
        client.allow_stdin = False
        loop = asyncio.get_running_loop()
        give_up = loop.time() + START_SECONDS
        while loop.time() < give_up and not self.died.done():
            if await _answered(client):
                self.client = client
                return
        raise RuntimeError("the kernel did not answer")

    async def ask(self, code: str, expressions: dict[str, str], seconds: float | None) -> dict[str, Any]:
        """The kernel's answers to expressions, after it has run the code unseen."""
        from nbclient.exceptions import DeadKernelError

        options = {"silent": True, "store_history": False, "allow_stdin": False, "user_expressions": expressions}
        reply = asyncio.ensure_future(
            self.client.execute(code, reply=True, timeout=seconds or START_SECONDS, **options)
        )
        await asyncio.wait({reply, self.died}, return_when=asyncio.FIRST_COMPLETED)
        if not reply.done():
            reply.cancel()
            raise DeadKernelError("Kernel died")
        content = reply.result()["content"]
        if content.get("status") != "ok":
            raise RuntimeError("the kernel did not run our own code: " + str(content.get("evalue")))
        return dict(content["user_expressions"])

    def signal(self) -> int | None:
        """The signal that ended it, None where it left by itself or lives."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILLED_SECONDS)
        code = self._process.poll()
        return -code if code is not None and code < 0 else None

    def kill(self) -> None:
        """Ends it at once, and what it started in its process group."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            # Reaped by us: in a container, whoever inherits it may never do that.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(KILLED_SECONDS)


class Session:
    """One document's cells in one kernel, and what they gave so far."""

    def __init__(self, start: dict[str, Any], progress: int) -> None:
        self._start = start
        self._progress = progress
        # Looked at before anything is imported, so that no change goes unnoticed.
        self._places = {path: _state(path) for path in (*PLACES, *sys.path)}
        self._results: list[dict[str, Any]] = []
        self._prefix = ""
        self._size: list[float] = []
        self._kernel = Kernel(Path(start["runtime"]))
        self._client: Any = None

    async def run(self) -> dict[str, Any]:
        """The result: what each item gave, as far as it came, and the failure that ended it."""
        loop = asyncio.get_running_loop()
        # A pipe that nobody reads any more becomes ready (poll(2)): whoever started us is gone.
        loop.add_reader(self._progress, self._abandon)
        loop.add_signal_handler(signal.SIGTERM, self._abandon)
        # A directory of its own, not the document's: no file there can stand in for a module that the kernel needs.
        await self._kernel.start(self._start["home"])
        # Only now, while the kernel does its own imports.
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError
        from nbformat.v4 import new_notebook

        manager = self._kernel.manager
        self._client = NotebookClient(new_notebook(), km=manager, store_widget_state=False, record_timing=False)
        await self._kernel.connect()
        self._client.kc = self._kernel.client
        try:
            failure = await self._items()
        except DeadKernelError:
            failure = {"kind": "died", "item": len(self._results), "facts": {"signal": self._kernel.signal()}}
        finally:
            self._kernel.kill()
        self._keep_plotly_script()
        return {"prefix": self._prefix, "items": self._results, "failure": failure}

    async def _items(self) -> dict[str, Any] | None:
        """Runs everything in order; the failure that stopped it, if one did."""
        setup = Path(__file__).with_name("kernel_setup.py").read_text(encoding="utf-8")
        self._prefix = str(_value((await self._ask(setup, {"prefix": "__recto__.prefix()"}))["prefix"]))
        if not _same(self._prefix, self._start["prefix"]):
            return {"kind": "prefix"}
        if self._start["line"] is not None:
            await self._call(self._start["line"])
        request = json.loads(Path(self._start["request"]).read_text(encoding="utf-8"))
        await self._enter(request)
        return await self._run(request["items"])

    async def _call(self, line: int) -> None:
        """Waits until the request is there; does not return where it will not come or cannot be served any more."""
        called = _readable(line)
        os.write(line, b"r")
        await asyncio.wait({called, self._kernel.died}, return_when=asyncio.FIRST_COMPLETED)
        changed = any(_state(path) != before for path, before in self._places.items())
        if changed or self._kernel.died.done() or not os.read(line, 1):
            self._abandon()

    async def _enter(self, request: dict[str, Any]) -> None:
        """Brings the kernel to the document; from here on its cells run."""
        self._size = request["size"]
        self._client.timeout = request["cell_seconds"]
        arguments = (request["directory"], request["figures"], *request["size"])
        answer = (await self._ask("", {"enter": f"__recto__.enter{arguments!r}"}))["enter"]
        if answer.get("status") != "ok":
            raise RuntimeError("the kernel cannot be brought to the document: " + str(answer.get("evalue")))
        self._tell(state="entered")

    async def _run(self, items: list[dict[str, Any]]) -> dict[str, Any] | None:
        total = sum(item["kind"] == "cell" for item in items)
        done = 0
        for index, item in enumerate(items):
            if item["kind"] == "cell":
                self._tell(done=done, total=total)
                failure = await self._cell(item, index)
                done += 1
            else:
                failure = await self._inline(item, index)
            if failure:
                return failure
        self._tell(done=done, total=total)
        return None

    def _abandon(self) -> NoReturn:
        """Ends the kernel and this process at once."""
        self._kernel.kill()
        os._exit(ABANDONED)

    def _tell(self, **facts: object) -> None:
        os.write(self._progress, json.dumps(facts).encode() + b"\n")

    async def _cell(self, item: dict[str, Any], index: int) -> dict[str, Any] | None:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError
        from nbformat.v4 import new_code_cell

        cell = new_code_cell(item["code"], metadata={"tags": ["raises-exception"]} if item["error"] else {})
        self._client.nb.cells.append(cell)
        await self._resize(item["size"])
        try:
            await self._client.async_execute_cell(cell, len(self._client.nb.cells) - 1)
        except CellTimeoutError:
            return {"kind": "timeout", "item": index}
        except CellExecutionError as error:
            facts = await self._facts()
            return {"kind": "error", "item": index, "error": _error(cell.outputs, error), "facts": facts}
        self._results.append({"outputs": cell.outputs})
        return None

    async def _resize(self, size: list[float]) -> None:
        if size != self._size:
            await self._ask(f"__recto__.figure_size(*{size!r})", {})
            self._size = size

    async def _inline(self, item: dict[str, Any], index: int) -> dict[str, Any] | None:
        names = {str(number): f"__recto__.inline({text})" for number, text in enumerate(item["expressions"])}
        answers = await self._ask("", names)
        for number in names:
            if answers[number].get("status") != "ok":
                facts = {"kinds": [answers[number].get("ename")], "expression": item["expressions"][int(number)]}
                return {"kind": "error", "item": index, "error": answers[number], "facts": facts}
        self._results.append({"values": [json.loads(_value(answers[number])) for number in names]})
        return None

    def _keep_plotly_script(self) -> None:
        """Copies the script that draws plotly's figures beside the result, if there is such a figure."""
        outputs = [output for result in self._results for output in result.get("outputs", ())]
        if any(PLOTLY in output.get("data", {}) for output in outputs) and (script := _plotly_script()):
            with open(self._start["plotly"], "xb") as copy, script.open("rb") as source:  # noqa: PTH123
                shutil.copyfileobj(source, copy)

    async def _facts(self) -> dict[str, Any]:
        """What the kernel knows about the error that it has just raised; nothing where the cell broke that."""
        answer = (await self._ask("", {"failure": "__recto__.failure()"}))["failure"]
        with suppress(KeyError, ValueError, SyntaxError, TypeError):
            return dict(json.loads(_value(answer)))
        return {}

    async def _ask(self, code: str, expressions: dict[str, str]) -> dict[str, Any]:
        return await self._kernel.ask(code, expressions, self._client.timeout)


def _manager(runtime: Path) -> Any:
    """A kernel of this very interpreter, whatever kernels are installed anywhere, over Unix sockets where they fit."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OwnInterpreter(KernelSpecManager):  # type: ignore[misc]
        def get_kernel_spec(self, kernel_name: str) -> Any:
            # No history on disk, as nbclient starts it.
            history = "--HistoryManager.hist_file=:memory:"
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", history]
            return KernelSpec(argv=argv, language="python", display_name="Python 3")

    connection = str(runtime / "kernel.json")
    # Unix sockets need no loopback interface and keep other users of the machine out.
    sockets = {"transport": "ipc", "ip": str(runtime / "k")} if len(os.fsencode(connection)) < SOCKET_PATH_BYTES else {}
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OwnInterpreter(), **sockets)
    manager.connection_file = connection
    return manager


async def _answered(client: Any) -> bool:
    """Whether the kernel answered within a second, and was heard on the channel where it publishes."""
    from queue import Empty

    asked = client.kernel_info()
    with suppress(Empty):
        while (await client.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != asked:
            pass
        while not _idle(await client.get_iopub_msg(timeout=PUBLISHED_SECONDS), asked):
            pass
        return True
    return False


def _idle(message: dict[str, Any], asked: str) -> bool:
    """Whether this is the last message that the kernel publishes about the request `asked`."""
    state = message["content"].get("execution_state")
    return bool(message["parent_header"].get("msg_id") == asked and state == "idle")


def _readable(descriptor: int) -> asyncio.Future[None]:
    """Done once the descriptor can be read."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()

    def note() -> None:
        loop.remove_reader(descriptor)
        found.set_result(None)

    loop.add_reader(descriptor, note)
    return found


def _state(path: str) -> tuple[int, int]:
    """What a change of a file or of the names in a directory changes."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)


def _value(answer: dict[str, Any]) -> Any:
    """The Python literal that an expression gave."""
    import ast

    return ast.literal_eval(answer["data"]["text/plain"])


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _error(outputs: list[dict[str, Any]], error: Any) -> dict[str, Any]:
    """The cell's error output, else what the client made of a failure that left none."""
    found = next((output for output in reversed(outputs) if output["output_type"] == "error"), None)
    return dict(found) if found else {"ename": error.ename, "evalue": error.evalue, "traceback": [error.traceback]}


def _plotly_script() -> Path | None:
    """Where plotly keeps the script that draws its figures, if it is installed."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        return None
    script = Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"
    return script if script.is_file() else None


if __name__ == "__main__":
    status = main(sys.argv[1], sys.argv[2])
    sys.stderr.flush()
    # All files are closed, and taking a whole Jupyter client apart takes a tenth of a second.
    os._exit(status)
