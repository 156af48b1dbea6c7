"""One run of `uv pip compile`: requirements in, uv's own lock or its refusal out."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import tomli_w
from msgspec import Struct, field
from msgspec.structs import replace
from packaging.pylock import Pylock, PylockValidationError
from packaging.utils import NormalizedName
from packaging.version import Version

from recto.interpreters import Base
from recto.problems import Cancelled, ResolveError, problem
from recto.problems.diagnosis import decode, diagnose, redacted
from recto.progress import Event, Progress, silent
from recto.resolver.index_pages import credentials, default_index, index_settings
from recto.resolver.watching import LOG, Watch, without_steps
from recto.sandbox.base import Command, Limits, Outcome, Sandbox
from recto.sandbox.beneath import Beneath, why
from recto.sandbox.exceeded import exceeded
from recto.sandbox.throwaway import thrown_away

# How often whoever waits for a search hears how it goes. Most are done before the first time.
TELL_SECONDS = 5.0

# A lock of 300 packages with all their wheels takes a megabyte.
_LOCK_BYTES_MAX = 50_000_000

# uv's exit status where it proved that no set of versions fits; 2 is for everything else that goes wrong.
_UNSOLVABLE = 1


class Uv(Struct, frozen=True):
    """The tool and its surroundings: the executable, its cache, what contains it, its environment, the index.

    `page_seconds` is how long a page of the index counts as current; 0 asks the index each time. With `builds` uv may
    run the build scripts of packages that have no wheel: then `cache` is not used, and each run has one that is thrown
    away. `disk_bytes_max` is what such a run may add to the disk.
    """

    executable: Path
    cache: Path
    sandbox: Sandbox
    environment: Mapping[str, str]
    index_url: str | None = None
    page_seconds: int = 0
    builds: bool = False
    disk_bytes_max: int | None = None

    def __repr__(self) -> str:
        # The address of an index and the variables may hold credentials.
        return f"Uv(executable={str(self.executable)!r}, cache={str(self.cache)!r})"


class Question(Struct, frozen=True):
    """What uv is asked. `preferences` are versions kept where they fit; `constraints` install nothing.

    `stand_ins` is the folder that stands for the base. `as_of` is the last UTC day whose releases count. `current` asks
    the index about every page, whatever its age. `tentative` takes a refusal as it is: nobody is told of it.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    preferences: Mapping[NormalizedName, Version] = field(default_factory=dict)
    stand_ins: Path | None = None
    as_of: date | None = None
    dependencies: bool = True
    current: bool = False
    tentative: bool = False


class Answer(Struct, frozen=True):
    """A set of versions that fits, as uv wrote it, and what uv said meanwhile, credentials removed."""

    lock: Pylock
    said: str

    @property
    def versions(self) -> dict[NormalizedName, Version]:
        """The versions by normalised name."""
        return {package.name: package.version for package in self.lock.packages if package.version is not None}


class NoSolution(Struct, frozen=True):
    """No set of versions fits; `said` is uv's proof, credentials removed."""

    said: str


class OutOfTime(ResolveError):
    """The caller's time was over before there was an answer: `cap-resolve-time`."""


class Patience:
    """How long the caller still waits, over all runs of one request, whether they still want it, and what they hear.

    `clock` gives seconds.
    """

    def __init__(
        self,
        seconds: float,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress = silent,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._left = seconds
        self._progress = progress
        self._clock = clock
        self._begun = self._told = clock()
        self.cancelled = cancelled
        self.watch = Watch()

    def hear(self, line: bytes) -> None:
        """Takes a line of uv's, and tells the caller now and then how the search goes."""
        if not self.watch.hear(line):
            return
        now = self._clock()
        if now - self._told < TELL_SECONDS:
            return
        self._told = now
        spent = f"{now - self._begun:.0f} s of {self._seconds:g} s"
        about = f"looking at {self.watch.package}, candidate {self.watch.looks:,}"
        self._progress(Event("resolving", f"{about}, after {spent}", unit="packages"))

    def part(self, seconds: float) -> Patience:
        """The patience for something that may take at most this long, and no longer than is left of this one."""
        return Patience(min(seconds, self._left), self.cancelled)

    @property
    def limits(self) -> Limits:
        """The limits of the next run; raises OutOfTime where no time is left."""
        if self._left <= 0:
            raise self.exhausted("")
        return Limits(wall_seconds=self._left)

    def spend(self, outcome: Outcome) -> None:
        """Takes the time of a run off; raises Cancelled or OutOfTime where it did not end by itself."""
        self._left -= outcome.seconds
        said = _said(outcome)
        if outcome.stop == "cancelled":
            raise Cancelled(problem("cancelled"), said)
        if outcome.stop == "timed-out":
            raise self.exhausted(said)

    def exhausted(self, said: str) -> OutOfTime:
        """The error of a request whose time is over."""
        return OutOfTime(problem("cap-resolve-time", seconds=f"{self._seconds:g}"), said)


def _said(outcome: Outcome) -> str:
    """What uv said to people, credentials removed."""
    return redacted(without_steps(decode(outcome.stderr)))


def compile_lock(uv: Uv, base: Base, question: Question, directory: Path, patience: Patience) -> Answer | NoSolution:
    """The answer to `question` for this base, worked out in `directory`.

    That nothing fits is only said of an index as it is now: a page that is some minutes old may lack the release that
    was just made. Raises ResolveError where uv could not look for an answer (network, time), Cancelled.
    """
    answer = _compiled(uv, base, question, directory, patience)
    settled = question.current or question.tentative
    if isinstance(answer, NoSolution) and uv.page_seconds and not settled:
        return _compiled(uv, base, replace(question, current=True), directory, patience)
    return answer


def _compiled(uv: Uv, base: Base, question: Question, directory: Path, patience: Patience) -> Answer | NoSolution:
    if not uv.builds:
        return _asked(uv, base, question, directory, patience)
    # Code of packages runs: what it can write is nobody else's, before or after. It sees neither the shared cache nor
    # the input of the next run, where a link that it left would lead us out.
    with thrown_away(directory) as own:
        return _asked(replace(uv, cache=own / "cache", page_seconds=0), base, question, own, patience)


def _asked(uv: Uv, base: Base, question: Question, directory: Path, patience: Patience) -> Answer | NoSolution:
    command = _command(uv, base, question, directory, patience.limits)
    outcome = uv.sandbox.run(command, on_stderr=patience.hear, cancelled=patience.cancelled)
    patience.spend(outcome)
    said = _said(outcome)
    if outcome.succeeded:
        return Answer(_written(directory, said), said)
    if (found := exceeded(outcome)) is not None:
        raise ResolveError(found, said)
    if outcome.code == _UNSOLVABLE:
        return NoSolution(said)
    raise ResolveError(diagnose(said), said)


def _written(directory: Path, said: str) -> Pylock:
    """The lock that uv wrote; raises ResolveError where it is none any more, since code of packages may have run."""
    try:
        with Beneath(directory, private=True) as own:
            text = own.read("pylock.toml", _LOCK_BYTES_MAX).decode("utf-8")
        return Pylock.from_dict(tomllib.loads(text))
    except (OSError, ValueError, PylockValidationError) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise ResolveError(problem("resolution-unreadable", reason=reason), said) from error


def _command(uv: Uv, base: Base, question: Question, directory: Path, limits: Limits) -> Command:
    uv.cache.mkdir(parents=True, exist_ok=True)
    folder = (question.stand_ins,) if question.stand_ins else ()
    settings, index = _index(uv, base, question, directory)
    own = {"HOME": str(directory), "UV_PYTHON_DOWNLOADS": "never", "LANG": "C.UTF-8", "RUST_LOG": LOG}
    return Command(
        argv=(str(uv.executable), "pip", "compile", *settings, *_arguments(uv, base, question, directory)),
        cwd=directory,
        environment={**uv.environment, **own, **index},
        read_only=(uv.executable, base.prefix, *base.roots, *folder),
        writable=(directory, uv.cache),
        network="index",
        limits=replace(limits, disk_bytes=uv.disk_bytes_max) if uv.builds else limits,
    )


def _arguments(uv: Uv, base: Base, question: Question, directory: Path) -> list[str]:
    requirements, constraints, lock = (directory / name for name in ("asked.txt", "constraints.txt", "pylock.toml"))
    requirements.write_text("".join(f"{line}\n" for line in question.requirements), "utf-8")
    constraints.write_text("".join(f"{line}\n" for line in question.constraints), "utf-8")
    lock.write_text(_preferences(question.preferences), "utf-8")
    arguments = [
        *(() if uv.builds else ("--no-build",)),
        *("--no-sources", "--no-header", "--no-progress", "--color", "never"),
        *("--format", "pylock.toml", "--cache-dir", str(uv.cache), "--python", str(base.python)),
        *("--constraint", str(constraints), "--output-file", str(lock)),
    ]
    if question.stand_ins:
        arguments += ["--find-links", str(question.stand_ins)]
    if question.as_of:
        arguments += ["--exclude-newer", day_after(question.as_of)]
    if not question.dependencies:
        arguments.append("--no-deps")
    return [*arguments, str(requirements)]


def day_after(day: date) -> str:
    """The first instant after that UTC day. A bare date would mean a day of the machine's own time zone to uv."""
    return datetime.combine(day + timedelta(days=1), time_of_day(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def index_of(uv: Uv, base: Base) -> str | None:
    """The address of the index, None where uv's own is taken and nobody has to know it, or uv does not tell."""
    if uv.page_seconds == 0 or uv.index_url is not None:
        return uv.index_url
    return default_index(uv.executable, base, uv.cache, uv.sandbox)


def _index(uv: Uv, base: Base, question: Question, directory: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """The arguments and variables that lead uv to its index: no settings at all, or one file of ours."""
    url = index_of(uv, base)
    if uv.page_seconds == 0 or question.current or url is None:
        # In the environment and not an argument: everybody on the machine can read arguments.
        # What was read with our settings is taken as current for as long as they said, so it has to be told otherwise.
        refresh = ("--refresh",) if uv.page_seconds > 0 else ()
        return ("--no-config", *refresh), {"UV_DEFAULT_INDEX": uv.index_url} if uv.index_url else {}
    path = directory / "uv.toml"
    path.write_text(index_settings(url, uv.page_seconds), "utf-8")
    return ("--config-file", str(path)), credentials(url)


def _preferences(versions: Mapping[NormalizedName, Version]) -> str:
    """A lock with names and versions only: uv takes the versions in its output file as preferences."""
    packages = [{"name": name, "version": str(versions[name])} for name in sorted(versions)]
    return tomli_w.dumps({"lock-version": "1.0", "created-by": "recto", "packages": packages})
