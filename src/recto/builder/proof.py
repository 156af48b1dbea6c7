"""The proof of an environment: a kernel, started by name as engines start it, runs in it and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from recto.builder.commands import Commands
from recto.builder.starts import SCRIPT, Start
from recto.problems import BuildError, problem
from recto.sandbox.base import Outcome
from recto.sandbox.told import told_path

# A cold start of a kernel on a loaded machine took 16 s with bytecode missing; four times that is no kernel.
KERNEL_SECONDS = 60.0

# The distributions that the proof script and the kernel import.
NEEDED = ("ipykernel", "jupyter-client", "nbclient", "nbformat", "pyyaml")

_WHERE = "import json, sys; sys.stdout.write(json.dumps({'prefix': sys.prefix, 'executable': sys.executable}))"


def prove(commands: Commands, directory: Path) -> None:
    """Raises BuildError `proof-kernel`, with the log, unless `sys.prefix` of the kernel is the environment."""
    _started(commands, directory, directory / "bin" / "python")


def watch(commands: Commands) -> Start:
    """What starting a kernel looks for over this base, seen in the base itself; raises BuildError where none starts."""
    base = commands.base
    try:
        return Start.of(_started(commands, base.prefix, base.python, "watch"))
    except ValueError as error:
        raise BuildError(problem("proof-kernel", reason=str(error)), commands.log) from error


def check_interpreter(commands: Commands, directory: Path) -> None:
    """Raises BuildError `proof-kernel` unless the environment's interpreter starts, prints nothing, and is in it.

    All that is left to see where nothing of the environment is in the way of a kernel (see `starts`).
    """
    argv = (str(directory / "bin" / "python"), "-c", _WHERE)
    outcome = commands.run(argv, kernel_environment(directory, commands.scratch), read_only=(directory,))
    _answer(outcome, directory, commands)


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


def _started(commands: Commands, directory: Path, python: Path, *how: str) -> Mapping[str, object]:
    argv = (str(python), "-c", SCRIPT.read_text(encoding="utf-8"), str(KERNEL_SECONDS), *how)
    outcome = commands.run(argv, kernel_environment(directory, commands.scratch), read_only=(directory,))
    return _answer(outcome, directory, commands)


def _answer(outcome: Outcome, directory: Path, commands: Commands) -> Mapping[str, object]:
    """What the script printed; raises BuildError where the proof does not hold."""
    answer, reason = _read(outcome, directory)
    if reason is not None:
        raise BuildError(problem("proof-kernel", reason=reason), commands.log)
    return answer


def _read(outcome: Outcome, directory: Path) -> tuple[Mapping[str, object], str | None]:
    if not outcome.succeeded:
        said = outcome.stderr.decode("utf-8", "replace").strip().splitlines()
        return {}, said[-1].strip() if said else f"the kernel's starter ended with status {outcome.code}"
    try:
        answer = json.loads(outcome.stdout)
    except (ValueError, RecursionError):
        # Quarto drops an interpreter that prints at its start, without a word, and takes another.
        return {}, "one of the packages prints text whenever Python starts"
    prefix = _path(answer)
    if prefix is None:
        return {}, "one of the packages changes what Python says of itself when it starts"
    if prefix.resolve() != directory.resolve():
        return {}, f"the kernel runs in `{prefix.name}` instead of the environment"
    return answer, None


def _path(answer: object) -> Path | None:
    """The prefix in an answer that code of packages may have written; None where it is no path."""
    prefix = answer.get("prefix") if isinstance(answer, dict) else None
    try:
        return told_path(prefix) if isinstance(prefix, str) else None
    except ValueError:
        return None
