"""The refusal of the room: a command that cannot be contained as it must be is not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from recto.problems import SandboxError, problem
from recto.sandbox.base import Command
from recto.sandbox.real import Real


def refusal(reason: str, raw: str = "") -> SandboxError:
    """The refusal to run a command; `reason` is one sentence: what is missing, and how to get it."""
    return SandboxError(problem("sandbox-unavailable", reason=reason.rstrip(".")), raw)


def require(paths: Iterable[Path]) -> None:
    """Raises SandboxError for a path that is not there: a command would be contained without what it needs."""
    for path in paths:
        if not path.exists():
            raise refusal(f"`{path}` is not there")


def require_kept(
    command: Command, own: Iterable[Path], home: Path | None, shown: Iterable[Path] = (), *, within: bool = False
) -> Real:
    """Where the paths of a command lead; raises SandboxError where it could change what is ours by one of them.

    `own` are our directories, `home` that of our user, and `shown` what it may read beside its own; `within` as
    `require_apart` says.
    """
    own, real = tuple(own), Real()
    require_no_home(command.writable, home, real)
    require_apart(command.writable, own, real, within=within)
    require_no_links(command.writable, (*own, *command.read_only, *shown), real)
    return real


def require_program(program: str, environment: Mapping[str, str]) -> None:
    """Raises FileNotFoundError or PermissionError where a program cannot be run, as starting it by itself would.

    What stands around a command that is contained or limited could say so in words only.
    """
    if shutil.which(program, path=environment.get("PATH", os.defpath)) is None:
        kind = PermissionError if Path(program).exists() else FileNotFoundError
        raise kind(f"`{program}` cannot be run")


def require_apart(writable: Iterable[Path], own: Iterable[Path], real: Real, *, within: bool = False) -> None:
    """Raises SandboxError for a path that a command may write and that is one of our own directories.

    So does one that holds such a directory, where not even that can be kept apart (`within`) or there is none yet.
    """
    tops = {real[path]: path for path in writable}
    for directory in own:
        place = real[directory]
        for top in tops.keys() & {place, *(place.parents if within or not place.is_dir() else ())}:
            raise refusal(
                f"`{tops[top]}` holds Recto's own `{directory}`, which no document may change; use another directory"
            )


def require_no_links(writable: Iterable[Path], paths: Iterable[Path], real: Real) -> None:
    """Raises SandboxError where a link on the way to one of the paths is in what a command may write.

    What is led to is kept from the command, but not the link: the next time it could lead elsewhere.
    """
    tops = {real[path]: path for path in writable}
    for path in paths:
        for link in () if real[path] == path else links_on(path):
            for top in tops.keys() & set(link.parents):
                raise refusal(
                    f"`{path}` is reached by the link `{link}`, which a document in `{tops[top]}` may change; "
                    "name the place that it leads to instead"
                )


def require_no_home(writable: Iterable[Path], home: Path | None, real: Real) -> None:
    """Raises SandboxError for a path that a command may write and that is, or holds, the home of our own user."""
    homes = () if home is None else (real[home], *real[home].parents)
    for path in writable:
        if real[path] in homes:
            raise refusal(
                f"`{path}` holds a home directory, where programs keep what they run whenever they start; "
                "put the document into a directory of its own"
            )


def links_on(path: Path) -> Iterator[Path]:
    """The symbolic links that are followed on the way to a path, each by its real place."""
    here, names = Path("/"), list(path.absolute().parts[1:])
    # As many links as the kernel follows (path_resolution(7)).
    left = 40
    while names and left:
        name = names.pop(0)
        step = here.parent if name == ".." else here / name
        if not step.is_symlink():
            here = step
            continue
        yield step
        left -= 1
        target = step.readlink()
        names = [*(target.parts[1:] if target.is_absolute() else target.parts), *names]
        here = Path("/") if target.is_absolute() else here
