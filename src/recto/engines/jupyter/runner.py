"""Runs the cells of one document. A script for the project's interpreter, which has no recto: only Jupyter's packages.

`python -I runner.py REQUEST RESULT`: the request and the result are JSON files, progress is one JSON object a line on
stdout. Exit status 0 means that a result was written, also where a cell failed.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NEEDED = ("nbclient", "nbformat", "jupyter_client", "ipykernel")
PLOTLY = "application/vnd.plotly.v1+json"
# Starting a kernel takes one second; a machine that swaps may take a minute.
START_SECONDS = 120
# A Unix socket's path holds 107 bytes (unix(7)), and the kernel adds a suffix of two to ours.
SOCKET_PATH_BYTES = 100


def main(request_path: str, result_path: str) -> int:
    """The exit status."""
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    # Opened before any cell runs: a cell that puts a link in its place gains no file written elsewhere.
    with open(result_path, "x", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(_result(request), file)
    return 0


def _result(request: dict[str, Any]) -> dict[str, Any]:
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        return {"failure": {"kind": "lacking", "names": lacking}}
    return asyncio.run(Session(request, _progress_descriptor()).run())


def _progress_descriptor() -> int:
    """Our stdout, kept for ourselves: the kernel inherits stderr in its place, so that no cell can write here."""
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return descriptor


class Session:
    """One kernel and what it has answered so far."""

    def __init__(self, request: dict[str, Any], progress: int) -> None:
        from nbclient import NotebookClient
        from nbformat.v4 import new_notebook

        self._request = request
        self._progress = progress
        self._results: list[dict[str, Any]] = []
        self._prefix = ""
        self._notebook = new_notebook()
        self._client = NotebookClient(
            self._notebook,
            km=_kernel(Path(request["runtime"])),
            timeout=request["cell_seconds"],
            startup_timeout=START_SECONDS,
            resources={"metadata": {"path": request["directory"]}},
            store_widget_state=False,
            record_timing=False,
        )

    async def run(self) -> dict[str, Any]:
        """The result: what each item gave, as far as it came, and the failure that ended it."""
        from nbclient.exceptions import DeadKernelError

        failure = None
        try:
            async with self._client.async_setup_kernel(cwd=self._request["directory"]):
                failure = await self._items()
        except DeadKernelError:
            failure = {"kind": "died", "item": len(self._results)}
        self._keep_plotly_script()
        return {"prefix": self._prefix, "items": self._results, "failure": failure}

    async def _items(self) -> dict[str, Any] | None:
        """Runs everything in order; the failure that stopped it, if one did."""
        setup = Path(__file__).with_name("kernel_setup.py").read_text(encoding="utf-8")
        size = self._request["size"]
        answers = await self._ask(
            setup,
            {"prefix": "__recto__.prefix()", "_": f"__recto__.configure({self._request['figures']!r}, *{size!r})"},
        )
        self._prefix = str(_value(answers["prefix"]))
        if not _same(self._prefix, self._request["prefix"]):
            return {"kind": "prefix"}
        total = sum(item["kind"] == "cell" for item in self._request["items"])
        done = 0
        for index, item in enumerate(self._request["items"]):
            if item["kind"] == "cell":
                self._tell(done, total)
                failure = await self._cell(item, index)
                done += 1
            else:
                failure = await self._inline(item, index)
            if failure:
                return failure
        self._tell(done, total)
        return None

    def _tell(self, done: int, total: int) -> None:
        os.write(self._progress, json.dumps({"done": done, "total": total}).encode() + b"\n")

    async def _cell(self, item: dict[str, Any], index: int) -> dict[str, Any] | None:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError
        from nbformat.v4 import new_code_cell

        cell = new_code_cell(item["code"], metadata={"tags": ["raises-exception"]} if item["error"] else {})
        self._notebook.cells.append(cell)
        await self._size(item["size"])
        try:
            await self._client.async_execute_cell(cell, len(self._notebook.cells) - 1)
        except CellTimeoutError:
            return {"kind": "timeout", "item": index}
        except CellExecutionError as error:
            facts = await self._facts()
            return {"kind": "error", "item": index, "error": _error(cell.outputs, error), "facts": facts}
        self._results.append({"outputs": cell.outputs})
        return None

    async def _size(self, size: list[float]) -> None:
        if size != self._request["size"]:
            await self._ask(f"__recto__.figure_size(*{size!r})", {})
            self._request["size"] = size

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
            with open(self._request["plotly"], "xb") as copy, script.open("rb") as source:  # noqa: PTH123
                shutil.copyfileobj(source, copy)

    async def _facts(self) -> dict[str, Any]:
        """What the kernel knows about the error that it has just raised; nothing where the cell broke that."""
        answer = (await self._ask("", {"failure": "__recto__.failure()"}))["failure"]
        with suppress(KeyError, ValueError, SyntaxError, TypeError):
            return dict(json.loads(_value(answer)))
        return {}

    async def _ask(self, code: str, expressions: dict[str, str]) -> dict[str, Any]:
        """The kernel's answers to expressions, after it has run the code unseen."""
        reply = await self._client.kc.execute(
            code,
            silent=True,
            store_history=False,
            user_expressions=expressions,
            allow_stdin=False,
            reply=True,
            timeout=self._request["cell_seconds"] or START_SECONDS,
        )
        content = reply["content"]
        if content.get("status") != "ok":
            raise RuntimeError("the kernel did not run our own code: " + str(content.get("evalue")))
        return dict(content["user_expressions"])


def _kernel(runtime: Path) -> Any:
    """A kernel of this very interpreter, whatever kernels are installed anywhere, over Unix sockets where they fit."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OwnInterpreter(KernelSpecManager):  # type: ignore[misc]
        def get_kernel_spec(self, kernel_name: str) -> Any:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, language="python", display_name="Python 3")

    connection = str(runtime / "kernel.json")
    # Unix sockets need no loopback interface and keep other users of the machine out.
    sockets = {"transport": "ipc", "ip": str(runtime / "k")} if len(os.fsencode(connection)) < SOCKET_PATH_BYTES else {}
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OwnInterpreter(), **sockets)
    manager.connection_file = connection
    return manager


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
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
