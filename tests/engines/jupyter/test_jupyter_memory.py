"""A document that takes more memory than there is, in a real control group that the test makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recto.interpreters import Base
from recto.sandbox.memory_kills import memory_kills

pytest_plugins = ("jupyter_fixtures",)

LIMIT_BYTES = 400_000_000

# Joins the group, then renders as the tests beside this one do.
_RENDER = """
import json, os, sys
from pathlib import Path
Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
import pypandoc
from recto.engines.base import Job
from recto.engines.jupyter import JupyterEngine
from recto.sandbox.none import NoSandbox
engine = JupyterEngine(NoSandbox(), Path(pypandoc.get_pandoc_path()), Path(sys.executable))
document = Path(sys.argv[2])
job = Job(document, document.parent, Path(sys.argv[3]), Path(sys.argv[4]), environment={"PATH": "/usr/bin:/bin"})
rendered = engine.render(job, lambda event: None)
print(json.dumps([rendered.status, [found.to_json() for found in rendered.problems]]))
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group with a limit of memory."""
    groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    first = {controllers: path.lstrip("/") for _, controllers, path in groups}
    root = Path("/sys/fs/cgroup")
    if "memory" in first:
        parent, limit = root / "memory" / first["memory"], "memory.limit_in_bytes"
    else:
        parent, limit = root / first.get("", ""), "memory.max"
    path = parent / f"recto-test-{os.getpid()}"
    try:
        path.mkdir()
        (path / limit).write_text(str(LIMIT_BYTES))
    except OSError as error:
        if path.is_dir():
            path.rmdir()
        pytest.skip(f"no control group with a limit can be made here: {error}")
    yield path
    path.rmdir()


Render = Callable[[str], tuple[str, list[dict[str, object]]]]


@pytest.fixture
def render(group: Path, tmp_path: Path, kernel_base: Base) -> Render:
    def call(text: str) -> tuple[str, list[dict[str, object]]]:
        document = tmp_path / "paper.qmd"
        document.write_text(text)
        argv = (sys.executable, "-c", _RENDER, group, document, kernel_base.python, kernel_base.prefix)
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        status, problems = json.loads(done.stdout)
        return status, problems

    return call


def test_a_kernel_that_is_killed_for_memory_is_told_from_one_that_dies(render: Render) -> None:
    status, (found,) = render("Text\n\n```{python}\nx = bytearray(800_000_000)\n```\n")
    assert (status, found["code"], found["source"]) == ("failure", "out-of-memory", {"file": "paper.qmd", "line": 4})
    status, (found,) = render("```{python}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n```\n")
    assert (status, found["code"]) == ("failure", "kernel-died")


def test_the_count_is_a_number_or_unknown() -> None:
    count = memory_kills()
    assert count is None or count >= 0
