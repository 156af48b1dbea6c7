"""A document's cells in a real kernel under Landlock, which a plain user runs: it answers over Unix sockets."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from conftest import RENDER_STACK
from containing import IS_ROOT, PLAIN, PYTHON
from recto.sandbox.landlock.ruleset import LEAST_VERSION, version

pytestmark = [pytest.mark.network, pytest.mark.slow]

REPOSITORY = Path(__file__).parents[2]

DOCUMENT = """---
title: Contained
---

```{python}
print("sum", 20 + 22)
```

```{python}
!echo from a $((1 + 1))nd shell
```

```{python}
import os, socket
def attempt(call):
    try:
        return call() or "done"
    except OSError as error:
        return type(error).__name__
print("network:", attempt(lambda: socket.create_connection(("127.0.0.1", 9))))
print("hidden:", attempt(lambda: open("MARKER").read()))
print("own:", attempt(lambda: open("written", "w").close()))
print("user:", os.getuid())
```
"""

SERVICE = """
import json, sys
from pathlib import Path
import pypandoc
from recto.engines.base import Job
from recto.engines.jupyter import JupyterEngine
from recto.sandbox.landlock import Landlock
project = Path(sys.argv[1])
engine = JupyterEngine(Landlock(), Path(pypandoc.get_pandoc_path()), Path(sys.executable))
job = Job(project / "paper.qmd", project, Path(sys.executable), Path(sys.prefix), ("html",), environment={})
done = engine.render(job, lambda event: None)
print(json.dumps([done.status, [str(path) for path in done.outputs], [str(it) for it in done.problems], done.log]))
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that a plain user owns and can reach, unlike pytest's."""
    root = Path(tempfile.mkdtemp(prefix="recto-test-"))
    yield root
    shutil.rmtree(root)


def test_a_document_renders_and_its_cells_are_kept_in(
    place: Path, uv: Path, uv_cache: Path, network_environment: Mapping[str, str]
) -> None:
    if version() < LEAST_VERSION:
        pytest.skip(f"Landlock has version {version()} here, and the mechanism needs {LEAST_VERSION}")
    python = place / "environment" / "bin" / "python"
    quiet = ("--quiet", "--no-config", "--cache-dir", str(uv_cache), "--python")
    subprocess.run([uv, "venv", *quiet, PYTHON, place / "environment"], check=True, env=network_environment)
    packages = (REPOSITORY, *RENDER_STACK)
    subprocess.run([uv, "pip", "install", *quiet, python, *packages], check=True, env=network_environment)
    project, temporary, marker = place / "project", place / "temporary", place / "marker"
    for directory in (project, temporary):
        directory.mkdir()
    marker.write_text("the marker")
    (project / "paper.qmd").write_text(DOCUMENT.replace("MARKER", str(marker)))
    become = {"user": PLAIN, "group": PLAIN, "extra_groups": []} if IS_ROOT else {}
    if IS_ROOT:
        for path in (place, project, temporary, marker, *project.iterdir()):
            os.chown(path, PLAIN, PLAIN)

    done = subprocess.run(
        (python, "-c", SERVICE, project),
        cwd=project,
        env={"TMPDIR": str(temporary), "PATH": os.defpath},
        capture_output=True,
        **become,  # type: ignore[call-overload]
    )

    assert done.returncode == 0, done.stderr.decode()
    status, outputs, problems, log = json.loads(done.stdout)
    assert (status, problems) == ("success", []), log
    page = Path(outputs[0]).read_text()
    assert "sum 42" in page
    assert "from a 2nd shell" in page
    assert "network: PermissionError" in page
    assert "hidden: PermissionError" in page
    assert "own: done" in page
    assert f"user: {PLAIN}" in page
    # Nothing is left of the run.
    assert list(temporary.iterdir()) == []
