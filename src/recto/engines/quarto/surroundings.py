"""The private home and the environment variables of one run of Quarto."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from recto.engines.base import Job
from recto.engines.quarto import evidence
from recto.sandbox.temporary import temporary

_PATH = "/usr/local/bin:/usr/bin:/bin"

# Each of these can make Quarto, Jupyter or Python look elsewhere than in the environment (facts: JUPYTER_PATH beats the
# environment's own kernel, PYTHONSAFEPATH breaks Quarto's runner, which imports its siblings).
_LEADS_ASTRAY = frozenset({
    "CONDA_PREFIX",
    "JUPYTERCACHE",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_CONFIG_PATH",
    "JUPYTER_DATA_DIR",
    "JUPYTER_PATH",
    "JUPYTER_RUNTIME_DIR",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PYTHONSTARTUP",
})  # fmt: skip


class Surroundings(Struct, frozen=True):
    """`home` is a private directory that is removed afterwards; `log` and `evidence` lie in it."""

    home: Path
    log: Path
    evidence: Path
    environment: Mapping[str, str]


@contextmanager
def surroundings(job: Job) -> Iterator[Surroundings]:
    """Fresh surroundings for one run: nothing of an earlier run or of our own user is seen in them."""
    with temporary() as home:
        (home / "tmp").mkdir()
        evidence.plant(home / "ipython")
        job.give_fonts(home / "config" / "matplotlib")
        yield Surroundings(home, home / "quarto.jsonl", home / "kernel.json", _environment(job, home))


def _environment(job: Job, home: Path) -> dict[str, str]:
    """The job's variables, then ours, which decide the interpreter and cannot be overridden."""
    given = {name: value for name, value in job.environment.items() if name not in _LEADS_ASTRAY}
    return {
        "LANG": "C.UTF-8",
        "XDG_CACHE_HOME": str(home / "cache"),
        **given,
        "PATH": os.pathsep.join((str(job.prefix / "bin"), given.get("PATH", _PATH))),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_RUNTIME_DIR": str(home / "tmp"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "QUARTO_PYTHON": str(job.python),
        "VIRTUAL_ENV": str(job.prefix),
        evidence.FILE_VARIABLE: str(home / "kernel.json"),
        evidence.PREFIX_VARIABLE: str(job.prefix),
    }
