"""Documents that exceed what a command may use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pypandoc
import pytest

from limited import MEGABYTE, Limited
from recto.engines.base import Job
from recto.engines.jupyter import JupyterEngine
from recto.interpreters import Base
from recto.problems import Problem
from recto.sandbox.base import Limits
from recto.sandbox.limits.hierarchies import places

needs_groups = pytest.mark.skipif(
    not {"memory", "pids"} <= frozenset().union(*(place.controllers for place in places())),
    reason="this process may not make control groups for memory and processes",
)
Failed = Callable[[str, Limits], tuple[Problem, ...]]
pytest_plugins = ("jupyter_fixtures",)


@pytest.fixture
def failed(tmp_path: Path, kernel_base: Base) -> Failed:
    def call(code: str, limits: Limits) -> tuple[Problem, ...]:
        document = tmp_path / "project" / "paper.qmd"
        document.parent.mkdir()
        document.write_text(f"Text\n\n```{{python}}\n{code}\n```\n")
        engine = JupyterEngine(Limited(limits), Path(pypandoc.get_pandoc_path()), Path(sys.executable))
        job = Job(
            document,
            document.parent,
            kernel_base.python,
            kernel_base.prefix,
            environment={"PATH": "/usr/bin:/bin"},
        )
        rendered = engine.render(job, lambda event: None)
        assert rendered.status == "failure"
        return rendered.problems

    return call


@needs_groups
def test_a_kernel_killed_for_the_memory_of_its_own_group_names_its_cell(failed: Failed) -> None:
    (found,) = failed("x = bytearray(900_000_000)", Limits(memory_bytes=400 * MEGABYTE))

    assert (found.code, str(found.source)) == ("out-of-memory", "paper.qmd:4")


@needs_groups
@pytest.mark.makes("process-limit")
@pytest.mark.parametrize(
    "code",
    [
        "import threading\nstop = threading.Event()\n"
        "for _ in range(1000): threading.Thread(target=stop.wait, daemon=True).start()",
        "import os, signal\nfor _ in range(1000):\n    if os.fork() == 0: signal.pause()",
        "import subprocess\nkept = [subprocess.Popen(['/bin/sleep', '600']) for _ in range(1000)]",
    ],
)
def test_a_cell_that_starts_too_much_is_told_so(failed: Failed, code: str) -> None:
    (found,) = failed(code, Limits(processes=100))

    assert found.code == "process-limit"
    assert found.source is not None
    assert found.source.line is not None


@pytest.mark.makes("disk-limit")
def test_a_cell_that_fills_the_disk_is_named(failed: Failed) -> None:
    code = "import signal\nfor n in range(200): open(f'{n}', 'wb').write(bytes(100_000))\nsignal.pause()"

    (found,) = failed(code, Limits(disk_bytes=10 * MEGABYTE))

    assert (found.code, str(found.source)) == ("disk-limit", "paper.qmd:4")
