"""The uv executable: making environments, resolving the list of a base, and installing exactly a lock.

Never with a shell, never with the user's configuration or Python downloads, always in the sandbox.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import tomli_w
from packaging.markers import Environment
from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError
from packaging.tags import parse_tag

from recto.builder.addresses import address
from recto.builder.base import Order
from recto.builder.commands import Commands
from recto.builder.inventory import metadata_directories
from recto.builder.layer import site_packages
from recto.builder.listener import Listener
from recto.builder.moving import files_of, move_into
from recto.interpreters import Base
from recto.problems import BuildError, Problem, problem
from recto.progress import Progress
from recto.sandbox.base import OnLine, Outcome
from recto.sandbox.throwaway import thrown_away

_ERROR = re.compile(r"^error: (?P<text>.+)$", re.MULTILINE)
# What every run of uv is told: nothing of the user's, no downloads of Python.
OURS = ("--no-config", "--no-python-downloads", "--no-progress", "--color", "never")


class Uv:
    """uv with one cache and one way to the index.

    `environment` is what uv sees: proxies and certificates. `index_url` may hold credentials, which uv then uses for
    files of that host, those of a lock included; they travel in the environment, where `ps` does not show them.
    """

    def __init__(self, uv: Path, cache: Path, environment: Mapping[str, str], index_url: str | None) -> None:
        self._uv = uv
        self._cache = cache
        self._environment = {**environment, **({} if index_url is None else {"UV_DEFAULT_INDEX": index_url})}

    def make_environment(self, directory: Path, commands: Commands) -> None:
        """Makes an empty relocatable environment; where the base is one itself, with the interpreter below it."""
        directory.mkdir(exist_ok=True)
        outcome = self._run(
            ("venv", str(directory), "--relocatable", "--python", str(commands.base.python), "--no-project"),
            commands,
            writable=(directory,),
            offline=True,
        )
        if not outcome.succeeded:
            raise BuildError(problems_of(outcome), commands.log)

    def install(self, order: Order, directory: Path, commands: Commands, progress: Progress) -> None:
        """Installs what is ordered, hashes enforced, nothing built; raises BuildError with what uv's words show."""
        lock = chosen(order)
        if not lock.packages:
            return
        path = commands.scratch / "pylock.toml"
        path.write_text(tomli_w.dumps(lock.to_dict()), encoding="utf-8")
        sizes = {name: wheel.size or 0 for name, wheel in wheels_of(lock, order.base).items()}
        listener = Listener(sizes, len(lock.packages), progress)
        if not order.offline:
            listener.start()
        with address(self._cache.with_name("addresses"), directory) as place:
            outcome = self._run(
                (
                    *("pip", "install", "--requirements", str(path), "--python", str(place / "bin" / "python")),
                    *("--no-build", "--no-deps", "--require-hashes", "--link-mode", "hardlink"),
                    *("--preview-features", "pylock"),
                ),
                commands,
                writable=(directory, place.parent),
                offline=order.offline,
                on_stderr=listener,
            )
        if not outcome.succeeded:
            raise BuildError(problems_of(outcome), commands.log)

    def install_built(self, lock: Pylock, directory: Path, commands: Commands) -> None:
        """Installs wheels that were built here (`path` in the lock), hashes enforced; raises BuildError.

        With a cache and an environment of their own, from which the files are moved: what is suspect comes into no
        cache, and uv never asks an environment who it is in which it lies, as it would run what it finds there.
        """
        places = {str(Path(wheel.path or "").parent) for package in lock.packages for wheel in package.wheels or ()}
        with thrown_away(commands.scratch) as own:
            apart, cache = own / "environment", own / "cache"
            cache.mkdir()
            alone = Uv(self._uv, cache, self._environment, None)
            alone.make_environment(apart, commands)
            own_files = frozenset(files_of(apart))
            asked = commands.scratch / "built.txt"
            asked.write_text("".join(_pinned(package) for package in lock.packages), encoding="utf-8")
            outcome = alone._run(
                (
                    *("pip", "install", "--requirements", str(asked), "--python", str(apart / "bin" / "python")),
                    *("--no-index", *(word for place in sorted(places) for word in ("--find-links", place))),
                    *("--no-build", "--no-deps", "--require-hashes"),
                ),
                commands,
                writable=(apart,),
                offline=True,
            )
            if not outcome.succeeded:
                raise BuildError(problems_of(outcome), commands.log)
            _check_installed(lock, apart, commands)
            try:
                move_into(apart, frozenset(files_of(apart)) - own_files, directory)
            except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
                reason = "one of its files has the name of a directory in the environment, or the other way round"
                names = ", ".join(package.name for package in lock.packages)
                found = problem("build-wheel-refused", package=names, reason=reason)
                raise BuildError(found, commands.log) from error

    def resolve(self, requirements: str, commands: Commands) -> Pylock:
        """The newest versions for the base's interpreter, as a lock with hashes; raises BuildError."""
        asked, answer = commands.scratch / "requirements.in", commands.scratch / "pylock.base.toml"
        asked.write_text(requirements, encoding="utf-8")
        outcome = self._run(
            (
                *("pip", "compile", str(asked), "--output-file", str(answer), "--format", "pylock.toml"),
                *("--python", str(commands.base.python), "--no-build", "--no-header", "--quiet"),
            ),
            commands,
        )
        if not outcome.succeeded:
            raise BuildError(problems_of(outcome), commands.log)
        return Pylock.from_dict(tomllib.loads(answer.read_text(encoding="utf-8")))

    def _run(
        self,
        words: tuple[str, ...],
        commands: Commands,
        *,
        writable: tuple[Path, ...] = (),
        offline: bool = False,
        on_stderr: OnLine | None = None,
    ) -> Outcome:
        return commands.run(
            (str(self._uv), *words, "--cache-dir", str(self._cache), *OURS, *(("--offline",) if offline else ())),
            {**self._environment, "HOME": str(commands.scratch)},
            read_only=(self._uv,),
            writable=(*writable, self._cache),
            link_root=_common(self._cache, *writable),
            network="none" if offline else "index",
            on_stderr=on_stderr,
        )


def _check_installed(lock: Pylock, directory: Path, commands: Commands) -> None:
    """Raises BuildError where a wheel says inside that it is another one than its name says."""
    found = metadata_directories(site_packages(directory))
    for package in lock.packages:
        if package.name not in found:
            reason = f"the wheel does not install {package.name}"
            raise BuildError(problem("build-wheel-refused", package=package.name, reason=reason), commands.log)


def _pinned(package: Package) -> str:
    (wheel,) = package.wheels or ()
    return f"{package.name}=={package.version} --hash=sha256:{wheel.hashes['sha256']}\n"


def _common(*paths: Path) -> Path | None:
    """The directory that holds all of these, None where only the root of all files does: nothing is linked then."""
    common = Path(os.path.commonpath(paths))
    return None if common == Path(common.anchor) else common


def chosen(order: Order) -> Pylock:
    """The part of the lock that is installed."""
    names = frozenset(order.install)
    return replace(order.lock, packages=[package for package in order.lock.packages if package.name in names])


def wheels_of(lock: Pylock, base: Base) -> dict[str, PackageWheel]:
    """The wheel of each distribution that will be installed; empty where the lock does not answer for the base."""
    single: dict[str, PackageWheel] = {
        package.name: package.wheels[0] for package in lock.packages if package.wheels and not package.wheels[1:]
    }
    if len(single) == len(lock.packages):
        return single
    environment = cast(Environment, dict(base.markers))
    tags = [tag for text in base.tags for tag in parse_tag(text)]
    try:
        selection = list(lock.select(environment=environment, tags=tags))
    except PylockSelectError:
        # uv says in its own words what is missing, and that text becomes a problem.
        return {}
    return {package.name: file for package, file in selection if isinstance(file, PackageWheel)}


def problems_of(outcome: Outcome) -> tuple[Problem, ...]:
    """What the words of an installer that failed show; at least one."""
    from recto.problems.diagnosis import diagnose

    text = outcome.stderr.decode("utf-8", "replace")
    found = diagnose(text)
    if found[0].code != "cause-unknown":
        return found
    match = _ERROR.search(text)
    reason = match["text"].strip() if match else "the installer stopped without saying why"
    return (problem("install-failed", reason=reason, excerpt=found[0].excerpt),)
