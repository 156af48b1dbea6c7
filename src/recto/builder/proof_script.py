"""Run by a finished environment: starts the kernel by name, as engines do, and prints where it runs.

Sent with `-c`, so it imports nothing of ours. Arguments: how long the kernel may take to start, in seconds; then, for
a start that is watched, `watch`. One JSON object on stdout: `prefix` and `executable` of the kernel; after a watched
start also `modules`, `distributions` and `groups`: the top-level modules, the distributions and the entry point groups
that the starter and the kernel looked for, found or not.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

CELL = "import json, sys; print(json.dumps([sys.prefix, sys.executable, getattr(sys, '_recto_watched', None)]))"

# Runs before anything else in a process that is watched. What was imported until then counts too.
WATCH = """
import importlib.metadata, sys

class Watch:
    def __init__(self):
        self.modules = {name.partition(".")[0] for name in sys.modules}
        self.distributions = set()
        self.groups = set()
        sys._recto_watched = {"modules": [], "distributions": [], "groups": []}

    def note(self, kind, name):
        getattr(self, kind).add(name)
        sys._recto_watched[kind] = sorted(getattr(self, kind))

    def find_spec(self, name, path=None, target=None):
        self.note("modules", name.partition(".")[0])

    def find_distributions(self, context=None):
        name = getattr(context, "name", None)
        if name is not None:
            self.note("distributions", name)
        return ()

    def entry_points(self, **params):
        self.note("groups", params.get("group", "*"))
        return asked(**params)

watch = Watch()
sys.meta_path.insert(0, watch)
asked = importlib.metadata.entry_points
importlib.metadata.entry_points = watch.entry_points
"""


def _starting(seconds: float, watched: bool) -> Any:
    manager = importlib.import_module("jupyter_client.manager").KernelManager(kernel_name="python3")
    if watched:
        # The kernel's own command line, behind the watch.
        spec = manager.kernel_spec
        place = spec.argv.index("-m")
        then = f"import runpy; runpy.run_module({spec.argv[place + 1]!r}, run_name='__main__', alter_sys=True)"
        spec.argv = [*spec.argv[:place], "-c", f"{WATCH}\n{then}", *spec.argv[place + 2 :]]
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=seconds)
    except RuntimeError:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        raise
    return manager, client


def _prove(seconds: float, watched: bool) -> dict[str, object]:
    if watched:
        exec(WATCH, {})  # noqa: S102
    # What Quarto's notebook runner imports before it starts anything.
    for name in ("yaml", "nbformat", "nbclient"):
        importlib.import_module(name)
    manager, client = _starting(seconds, watched)
    said: list[str] = []

    def hear(message: dict[str, dict[str, str]]) -> None:
        said.append(message["content"].get("text", ""))

    try:
        client.execute_interactive(CELL, timeout=seconds, output_hook=hear)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    prefix, executable, seen = json.loads("".join(said))
    own = getattr(sys, "_recto_watched", None)
    if seen and own:
        return {kind: sorted({*own[kind], *seen[kind]}) for kind in own} | {"prefix": prefix, "executable": executable}
    return {"prefix": prefix, "executable": executable}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_prove(float(sys.argv[1]), sys.argv[2:] == ["watch"])))
