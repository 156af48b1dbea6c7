"""Contains a command in namespaces of its own, by bubblewrap.

What it sees is `profile`. It is refused, with what bubblewrap says, where any part of that cannot be made. bubblewrap
itself is started with an empty environment and its arguments in a file without a name, since what starts it can be
read from inside (`/proc/1`). The whole tree dies with one process, also when we are killed, because its first process
is the first of a PID namespace; so it holds no leases.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from recto.sandbox import profile
from recto.sandbox.base import Command, Limits, OnLine, Outcome, tightened
from recto.sandbox.identity import Identity
from recto.sandbox.limits.keeping import Limiter
from recto.sandbox.memory_file import memory_file
from recto.sandbox.real import Real
from recto.sandbox.refusal import refusal, require, require_kept, require_program
from recto.sandbox.seccomp import program
from recto.sandbox.supervise import supervise

if TYPE_CHECKING:
    from recto.sandbox.door.leading import Leading

_PLACES = "/usr/bin:/bin:/usr/local/bin"
# What bubblewrap reports once the command was started: it is missing where the world could not be made.
_ENTERED = b'"exit-code"'
_REPORT_BYTES = 4096
# Bubblewrap ends with 128 and the number of the signal that ended its command, as shells do.
_SIGNALLED = 128


class _World(Struct, frozen=True):
    """The command that makes the world and runs the command in it, and where bubblewrap reports of it.

    `describe` says what the world is, which takes a while, at the latest before bubblewrap begins.
    """

    command: Command
    report: int
    describe: Callable[[], None]


class Bubblewrap:
    """Runs commands in worlds of their own, within the operator's limits and those of each command.

    `shown` are paths that every command may read beside its own. `hidden` are directories of ours, of which a command
    sees nothing but the paths that it names, also where it may write to what holds them; it is refused where it may
    write to one itself, or to our own `home`. Started by root, commands run as `identity`, and what they may write is
    made that user's. `leading` leads commands with network "index" there; without it they are refused. `limiter` keeps
    the limits.
    """

    name = "bubblewrap"

    def __init__(
        self,
        limits: Limits | None = None,
        identity: Identity | None = None,
        shown: tuple[Path, ...] = (),
        leading: Leading | None = None,
        limiter: Limiter | None = None,
        path: str = _PLACES,
        hidden: tuple[Path, ...] = (),
        home: Path | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._identity = identity or Identity.here()
        self._shown = shown
        self._leading = leading
        self._limiter = limiter or Limiter()
        self._path = path
        self._hidden = hidden
        self._home = home

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        """As the port says; raises SandboxError where the command cannot be contained."""
        require((*command.read_only, *command.writable))
        require_program(command.argv[0], command.environment)
        real = require_kept(command, self._hidden, self._home, self._shown)
        self._identity.hand_over(command.writable, self._hidden)
        self._identity.show(command.read_only)
        with ExitStack() as held:
            command = held.enter_context(self._led(command))
            world = held.enter_context(self._world(command, real))
            contained, report = world.command, world.report
            keeper = held.enter_context(self._limiter.keep(contained, self._identity.number, world.describe))
            outcome = supervise(
                contained, marked=False, keeper=keeper, on_stdout=on_stdout, on_stderr=on_stderr, cancelled=cancelled
            )
            said = _report(report)
        if outcome.stop == "exited" and outcome.code >= 0 and _ENTERED not in said and not outcome.memory_kills:
            text = outcome.stderr.decode("utf-8", "replace").strip()
            reason = text.splitlines()[-1].removeprefix("bwrap: ") if text else f"bubblewrap ended with {outcome.code}"
            raise refusal(f"bubblewrap says: {reason.rstrip('.')}", text)
        return replace(outcome, code=_code(outcome.code))

    def _led(self, command: Command) -> AbstractContextManager[Command]:
        """The command with its way to the index, if it is to have one."""
        if command.network != "index":
            return nullcontext(command)
        if self._leading is None:
            raise refusal("nothing was named that leads to the package index")
        return self._leading.led(command)

    @contextmanager
    def _world(self, command: Command, real: Real) -> Iterator[_World]:
        """The world of a command, still to be described."""
        limits = tightened(command.limits, self._limits)
        with ExitStack() as held:
            accounts = profile.accounts(self._identity)
            files = {path: held.enter_context(memory_file(data)) for path, data in accounts.items()}
            rules = held.enter_context(memory_file(program(os.uname().machine)))
            given = held.enter_context(memory_file())
            report, reported = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            held.callback(os.close, report)
            held.callback(os.close, reported)

            def describe() -> None:
                words = profile.words(command, self._identity, limits.scratch_bytes, real, self._shown, self._hidden)
                for path, descriptor in files.items():
                    words[:0] = ("--perms", "0644", "--ro-bind-data", str(descriptor), path)
                words += ["--seccomp", str(rules), "--json-status-fd", str(reported)]
                os.pwrite(given, b"".join(os.fsencode(word) + b"\0" for word in words), 0)

            contained = replace(
                command,
                argv=(self._executable(), "--args", str(given), "--", *self._becoming(), *command.argv),
                cwd=Path("/"),
                environment={},
                leases=(),
                keep_open=(*command.keep_open, *files.values(), rules, reported, given),
                limits=limits,
            )
            yield _World(contained, report, describe)

    def _executable(self) -> str:
        found = shutil.which("bwrap", path=self._path)
        if found is None:
            raise refusal("`bwrap` is not installed; install the package `bubblewrap`")
        return found

    def _becoming(self) -> tuple[str, ...]:
        """The words that give up what is left of root's rights, none where there are none."""
        if not self._identity.dropped:
            return ()
        number = str(self._identity.number)
        dropping = ("--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", "--clear-groups")
        return ("/usr/bin/setpriv", "--reuid", number, "--regid", number, *dropping, "--")


def _report(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _REPORT_BYTES)
    except BlockingIOError:
        return b""


def _code(code: int) -> int:
    """The exit status, negative for a signal."""
    number = code - _SIGNALLED
    return -number if number in {int(one) for one in signal.Signals} else code
