"""Run by a finished environment: starts the kernel by name, as engines do, and prints where it runs.

Sent with `-c`, so it imports nothing of ours. The only argument is how long the kernel may take to start, in seconds.
One JSON object on stdout: `prefix` and `executable` of the kernel, or `error`.
"""

from __future__ import annotations

import importlib
import json
import sys

CELL = "import json, sys; print(json.dumps([sys.prefix, sys.executable]))"


def _prove(seconds: float) -> dict[str, str]:
    # What Quarto's notebook runner imports before it starts anything.
    for name in ("yaml", "nbformat", "nbclient"):
        importlib.import_module(name)
    manager, client = importlib.import_module("jupyter_client.manager").start_new_kernel(
        startup_timeout=seconds, kernel_name="python3"
    )
    said: list[str] = []

    def hear(message: dict[str, dict[str, str]]) -> None:
        said.append(message["content"].get("text", ""))

    try:
        client.execute_interactive(CELL, timeout=seconds, output_hook=hear)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    prefix, executable = json.loads("".join(said))
    return {"prefix": prefix, "executable": executable}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_prove(float(sys.argv[1]))))
