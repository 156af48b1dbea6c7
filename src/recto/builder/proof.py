"""The proof of an environment: a kernel, started by name as engines start it, runs in it and nowhere else."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from recto.builder.commands import Commands
from recto.problems import BuildError, problem
from recto.sandbox.base import Outcome

# A cold start of a kernel on a loaded machine took 16 s with bytecode missing; four times that is no kernel.
KERNEL_SECONDS = 60.0

# The distributions that the proof script and the kernel import.
NEEDED = ("ipykernel", "jupyter-client", "nbclient", "nbformat", "pyyaml")


def prove(commands: Commands, directory: Path) -> None:
    """Raises BuildError `proof-kernel`, with the log, unless `sys.prefix` of the kernel is the environment."""
    script = files("recto.builder").joinpath("proof_script.py").read_text(encoding="utf-8")
    outcome = commands.run(
        (str(directory / "bin" / "python"), "-c", script, str(KERNEL_SECONDS)),
        kernel_environment(directory, commands.scratch),
        read_only=(directory,),
    )
    reason = _failure(outcome, directory)
    if reason is not None:
        raise BuildError(problem("proof-kernel", reason=reason), commands.log)


def kernel_environment(directory: Path, scratch: Path) -> dict[str, str]:
    """Everything that the kernel of the proof sees: nothing of the user's, and no other way to a kernelspec.

    `JUPYTER_PATH` is absent and the environment comes before the user's data directory, as for an engine.
    """
    return {
        "PATH": f"{directory / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
    }


def _failure(outcome: Outcome, directory: Path) -> str | None:
    """Why the proof does not hold, or None where it does."""
    if not outcome.succeeded:
        said = outcome.stderr.decode("utf-8", "replace").strip().splitlines()
        return said[-1].strip() if said else f"the kernel's starter ended with status {outcome.code}"
    try:
        answer = json.loads(outcome.stdout)
    except ValueError:
        # Quarto drops an interpreter that prints at its start, without a word, and takes another.
        return "one of the packages prints text whenever Python starts"
    prefix = Path(answer["prefix"])
    if prefix.resolve() != directory.resolve():
        return f"the kernel runs in `{prefix.name}` instead of the environment"
    return None
