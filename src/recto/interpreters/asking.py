"""Asking an interpreter who it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import packaging

from recto.interpreters.base import Base
from recto.interpreters.memory import Fingerprint, remember, remembered
from recto.keys import BaseIdentity
from recto.problems import BaseError, problem

# Not imported here: it reads what another interpreter has installed, with all that that takes.
_QUESTION = Path(__file__).with_name("question.py")

# The oldest Python whose environments are supported: `requires-python` of this project.
OLDEST = (3, 11)

# The whole environment of the question: enough for a launcher script, nothing that changes what Python does.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def probe(python: Path, memory: Path | None = None, seconds_max: float = 30.0) -> Base:
    """Who the interpreter is; not asked again while nothing changed, where a directory `memory` is given.

    `Base.python` is the executable as the interpreter names it, links kept: a virtual environment is known by the path
    of its link. Raises BaseError (`base-missing`, `base-unusable`) for what does not answer as a Python does.
    """
    return Interpreters(memory, seconds_max).probe(python)


class Interpreters:
    """Interpreters asked once: by this process, and by all that share the directory `memory`."""

    def __init__(self, memory: Path | None = None, seconds_max: float = 30.0) -> None:
        self._memory = memory
        self._seconds_max = seconds_max
        self._known: dict[Path, tuple[Fingerprint, Base]] = {}

    def probe(self, python: Path) -> Base:
        """Who the interpreter is, as the function of the same name says."""
        asked = python.absolute()
        known = self._known.get(asked)
        if known is not None and known[0].holds():
            return known[1]
        if not asked.is_file():
            raise BaseError(problem("base-missing", path=asked))
        recalled = self._recall(asked)
        # A script may start another interpreter tomorrow, and nothing on disk would show it.
        if recalled is None and _is_script(asked):
            return _base(ask(asked, self._seconds_max))
        taken, answer = recalled or self._learn(asked)
        self._known[asked] = (taken, _base(answer))
        return self._known[asked][1]

    def fingerprint(self, python: Path) -> Fingerprint | None:
        """What the last answer of `probe` depends on; None where that answer holds for once only."""
        known = self._known.get(python.absolute())
        return None if known is None else known[0]

    def _recall(self, asked: Path) -> tuple[Fingerprint, dict[str, object]] | None:
        return remembered(self._memory, asked) if self._memory is not None else None

    def _learn(self, asked: Path) -> tuple[Fingerprint, dict[str, object]]:
        answer = ask(asked, self._seconds_max)
        taken = Fingerprint.take(asked, answer)
        if self._memory is not None:
            remember(self._memory, asked, taken, answer)
        return taken, answer


def ask(asked: Path, seconds_max: float) -> dict[str, object]:
    """The answer of a fresh process; raises BaseError (`base-unusable`)."""
    code, stdout, stderr = _run(asked, seconds_max)
    if code != 0:
        said = stderr.strip().splitlines()
        raise _unusable(asked, f"it exited with status {code}" + (f" (`{said[-1].strip()}`)" if said else ""))
    try:
        answer = json.loads(stdout)
    except ValueError:
        # Quarto drops such an interpreter without a word and takes another from PATH.
        reason = "it prints text of its own when it starts" if "{" in stdout else "it is not a Python interpreter"
        raise _unusable(asked, reason) from None
    if not isinstance(answer, dict) or "version_info" not in answer:
        raise _unusable(asked, "it is not a Python interpreter")
    if tuple(answer["version_info"]) < OLDEST:
        raise _unusable(asked, "it is Python " + ".".join(str(part) for part in answer["version_info"]))
    return answer


def _run(asked: Path, seconds_max: float) -> tuple[int, str, str]:
    import signal
    import subprocess

    argv = [str(asked), "-I", "-B", str(_QUESTION), str(Path(packaging.__file__).parent)]
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise _unusable(asked, f"it does not start ({error.strerror})") from error
    try:
        stdout, stderr = process.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired as error:
        # The whole session: a launcher script's child would keep the pipes open.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise _unusable(asked, f"it did not answer within {seconds_max:g} seconds") from error
    return process.returncode, stdout, stderr


def _unusable(asked: Path, reason: str) -> BaseError:
    return BaseError(problem("base-unusable", path=asked, reason=reason))


def _is_script(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except PermissionError as error:
        raise _unusable(path, "it cannot be read") from error


def _base(answer: Mapping[str, Any]) -> Base:
    prefix = str(answer["prefix"])
    identity = BaseIdentity(
        implementation=answer["implementation"],
        version=answer["version"],
        platform=answer["platform"],
        libc=answer["libc"],
        abi=answer["abi"],
        location=prefix,
        distributions=answer["distributions"],
    )
    return Base(
        python=Path(answer["python"]),
        prefix=Path(prefix),
        identity=identity,
        is_venv=answer["is_venv"],
        site_packages=tuple(Path(path) for path in answer["site_packages"]),
        markers=answer["markers"],
        tags=tuple(f"{prefix}-{end}" for prefixes, ends in answer["tags"] for prefix in prefixes for end in ends),
        roots=tuple(Path(path) for path in answer["roots"]),
        bytecode=answer["bytecode"],
    )
