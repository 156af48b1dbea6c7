"""Finishing: bytecode for an environment that is in use already.

A published environment is whole without it, and slower: whatever it imports is compiled in every render. So what was
not kept is compiled behind its back, kept, and linked in, each distribution when it is done, each file there whole or
not at all. A kernel that starts meanwhile finds a compiled file or compiles the source itself; both are right.

The environment is read while it is held, and its sources are held by links of their own while they are compiled: so a
long compilation keeps nobody from evicting it. A finisher that is killed leaves what is kept, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from recto.builder.base import Grown, Hold
from recto.builder.bytecode import Bytecode, BytecodeKey
from recto.builder.bytecode.compiling import CompileError, Uncompiled, compile_sources
from recto.builder.bytecode.linking import Damaged, link, linked_copy
from recto.builder.commands import Commands
from recto.builder.inventory import metadata_directories, take_inventory
from recto.builder.layer import site_packages
from recto.builder.workbench import Workbench
from recto.interpreters import Base
from recto.problems import BuildError, problem


class BytecodeFinisher(Struct, frozen=True):
    """Compiles and links what environments lack; `seconds_max` bounds the work on one of them."""

    workbench: Workbench
    seconds_max: float = 900.0

    def finish(
        self,
        base: Base,
        unfinished: Mapping[str, str],
        hold: Hold,
        grown: Grown,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Gives the environment the bytecode of these distributions (name to bytecode key).

        Where the environment is gone there is nothing to do. Raises BuildError where the compiler could not work (what
        was done until then stays), Cancelled.
        """
        bytecode = Bytecode(self.workbench.bytecode)
        with bytecode.area() as scratch:
            commands = Commands(self.workbench.sandbox, base, scratch, self.seconds_max, cancelled)
            complete(bytecode, commands, unfinished, hold, grown)


def complete(bytecode: Bytecode, commands: Commands, unfinished: Mapping[str, str], hold: Hold, grown: Grown) -> None:
    """Compiles what is not kept, and links all of it; raises BuildError, Cancelled.

    `commands.scratch` must be on the file system of the bytecode.
    """
    wanted = {name: BytecodeKey(digest) for name, digest in unfinished.items()}
    with hold() as directory:
        if directory is None:
            return
        missing = _link_kept(bytecode, wanted, directory)
        uncompiled = [_gathered(bytecode, name, wanted[name], directory, commands.scratch) for name in missing]
    names = {key: name for name, key in wanted.items()}

    def done(key: BytecodeKey, new_bytes: int) -> None:
        grown(new_bytes)
        with hold() as held:
            if held is not None:
                _link_kept(bytecode, {names[key]: key}, held)

    try:
        # Small ones first: most are done soon, and a large one then has all workers.
        compile_sources(commands, sorted(uncompiled, key=lambda one: len(one.sources)), bytecode, done)
    except CompileError as error:
        raise BuildError(problem("install-failed", reason=f"compiling bytecode: {error}"), commands.log) from error


def _link_kept(bytecode: Bytecode, wanted: Mapping[str, BytecodeKey], directory: Path) -> list[str]:
    """Links what is kept; the names of what is not."""
    missing = []
    for name, key in wanted.items():
        compiled = bytecode.compiled(key)
        try:
            if compiled is not None:
                link(compiled, site_packages(directory))
                continue
        except Damaged:
            bytecode.drop(key)
        missing.append(name)
    return missing


def _gathered(bytecode: Bytecode, name: str, key: BytecodeKey, directory: Path, scratch: Path) -> Uncompiled:
    """A distribution's sources, under names of our own that outlive the environment."""
    site = site_packages(directory)
    inventory = bytecode.inventory(key) or take_inventory(site, metadata_directories(site)[name])
    place = scratch / key.digest
    place.mkdir()
    sources = []
    for number, path in enumerate(inventory.sources):
        linked_copy(site / path, place / str(number))
        sources.append((path, place / str(number)))
    return Uncompiled(key, tuple(sources))
