"""Sources to kept bytecode, compiled by the base.

Never by an environment's own interpreter: a `.pth` file of a package runs at every start of that, with the rights of
the installer. Compiled files are of the unchecked kind (PEP 552), so that neither times nor hashes are compared.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from recto.builder.bytecode.keeping import Bytecode
from recto.builder.bytecode.keys import BytecodeKey
from recto.builder.commands import Commands

SCRIPT = Path(__file__).with_name("compile_script.py")


class Uncompiled(Struct, frozen=True):
    """A distribution to compile: pairs of a path below site-packages and the file that holds the source."""

    key: BytecodeKey
    sources: tuple[tuple[str, Path], ...]


class CompileError(Exception):
    """The compiler could not work: the disk refused, or it was killed. What was done until then is kept."""


def compile_sources(
    commands: Commands,
    distributions: Collection[Uncompiled],
    bytecode: Bytecode,
    done: Callable[[BytecodeKey, int], None],
) -> None:
    """Compiles and keeps each distribution; `done` gets its key and the bytes that are new on the disk.

    Sources that are no valid Python are left out: packages ship templates and test data that do not compile. Raises
    CompileError, and what `Commands.run` raises. `commands.scratch` must be on the file system of `bytecode`.
    """
    out = commands.scratch / "out"
    out.mkdir()
    wanted = [
        {"key": one.key.digest, "sources": [(path, str(source)) for path, source in one.sources]}
        for one in distributions
    ]
    request = commands.scratch / "request.json"
    processes = len(os.sched_getaffinity(0))
    request.write_text(json.dumps({"out": str(out), "processes": processes, "distributions": wanted}), "utf-8")

    def keep(line: bytes) -> None:
        key = BytecodeKey(line.decode("ascii"))
        told = json.loads((out / f"{key.digest}.json").read_bytes())
        made = {_checked(path): out / str(int(name)) for path, name in told["files"]}
        done(key, bytecode.publish(key, made, tuple(told["failed"])))

    outcome = commands.run(
        (str(commands.base.python), "-I", str(SCRIPT), str(request)),
        {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        read_only=(SCRIPT, *_sites(distributions)),
        on_stdout=keep,
    )
    if not outcome.succeeded:
        raise CompileError(outcome.stderr.decode("utf-8", "replace").strip() or f"status {outcome.code}")


def _sites(distributions: Iterable[Uncompiled]) -> frozenset[Path]:
    """The directories that the paths of the sources begin in; for one that leads out of there, where it lies itself."""
    found = set[Path]()
    for path, source in (pair for one in distributions for pair in one.sources):
        begins = str(source).removesuffix(f"/{path}")
        found.add(source.parent if begins == str(source) else Path(begins))
    return frozenset(found)


def _checked(path: str) -> str:
    """A path below site-packages; the compiler has read sources of strangers, and is not believed about more."""
    parts = PurePosixPath(path).parts
    if not path.endswith(".pyc") or "__pycache__" not in parts or ".." in parts or path.startswith("/"):
        raise CompileError(f"`{path}` is no place for a compiled file")
    return path
