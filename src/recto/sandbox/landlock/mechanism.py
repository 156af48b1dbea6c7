"""The mechanism for machines without namespaces, and what it does not keep."""

from __future__ import annotations

import marshal
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import to_builtins
from msgspec.structs import replace

from recto.sandbox.base import Command, Limits, OnLine, Outcome, tightened
from recto.sandbox.identity import Identity
from recto.sandbox.landlock import ruleset
from recto.sandbox.limits.keeping import Limiter
from recto.sandbox.memory_file import memory_file
from recto.sandbox.process_tree import MARK
from recto.sandbox.refusal import refusal, require, require_kept
from recto.sandbox.seccomp import OFFLINE_RULES, RULES, UNSHARED_RULES, program
from recto.sandbox.supervise import supervise

LAUNCHER = Path(__file__).with_name("launcher.py")


class Landlock:
    """Runs a command that reads and writes only the files it names, and reaches no network and no other process.

    Weaker than namespaces. Kept: contents of other files, writing, TCP, UDP and all other families of sockets (with
    network "none"), abstract Unix sockets, signals, tracing and memory of other processes, System V's shared memory,
    privileges, the system calls of `seccomp`. All processes of the command end with it, and when we are killed.

    Not kept, and what to do about it:
    - Unix sockets with a path can be connected to, wherever they are, by whom their permissions admit. Let none be
      open to all that gives anything away.
    - Names, sizes and owners of files are seen in directories whose permissions admit it (stat(2)).
    - Processes are listed with their arguments, if `/proc` is not mounted with `hidepid=invisible`; their environments,
      memory and files are not shown.
    - What belongs to the same user can have its permissions, times and attributes changed (chmod(2), setxattr(2)), and
      its processes the way in which they are scheduled: message libraries set that for their threads. Start as root,
      with an `identity` for commands alone, or give each command a container.
    - Where no control group can be made, memory and CPU time are limited for each process by itself.
    - Addresses of the machine's interfaces are told to whom asks the kernel (netlink).
    - `/tmp` and `/dev/shm` are not there: temporary files go to `TMPDIR`, and process pools of Python do not work.

    Offline, kernels answer over Unix sockets alone, as the built-in engine's do. What the command uses must be within
    reach of the user that it becomes.
    """

    name = "landlock"

    def __init__(
        self,
        identity: Identity | None = None,
        python: Path = Path(sys.executable),
        *,
        limits: Limits | None = None,
        shown: tuple[Path, ...] = (),
        limiter: Limiter | None = None,
        hidden: tuple[Path, ...] = (),
        home: Path | None = None,
    ) -> None:
        """`identity` is who root becomes for a command; whoever is not root stays who they are.

        `limits` are the operator's, within which each command has its own; `shown` every command may read. `hidden`
        are directories of ours: nothing can be taken out of one that a command may write, so it is refused where that
        holds one, or is our own `home`. `python` runs the launcher; any of 3.11 or newer does. Raises SandboxError
        where this machine, or this user, cannot contain a command.
        """
        ruleset.require_version(ruleset.version())
        self._identity = _required(identity or Identity.here())
        self._python = python
        self._limits = limits or Limits()
        self._shown = shown
        self._limiter = limiter or Limiter()
        self._hidden = hidden
        self._home = home
        self._filters = {
            "none": program(platform.machine(), (*RULES, *UNSHARED_RULES, *OFFLINE_RULES)),
            "host": program(platform.machine(), (*RULES, *UNSHARED_RULES)),
        }

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        """As the port says; the child's environment also holds `RECTO_RUN`, by which its processes are found.

        Raises SandboxError where the command cannot be contained as asked; network "index" never can.
        """
        if command.network == "index":
            raise refusal(
                "Building needs bubblewrap: Landlock cannot leave a command the package index and nothing else. "
                "Build the environments elsewhere, or allow user namespaces."
            )
        command = replace(
            command, limits=tightened(command.limits, self._limits), read_only=(*command.read_only, *self._shown)
        )
        require((*command.read_only, *command.writable))
        require_kept(command, self._hidden, self._home, within=True)
        self._identity.hand_over(command.writable)
        self._identity.show(command.read_only)
        number = self._identity.number
        user = number if self._identity.dropped else None
        outer = {MARK: command.environment[MARK]} if MARK in command.environment else {}
        # Also read by another Python than ours: version 2 is that of all.
        spec = marshal.dumps(self._spec(command), 2)
        with memory_file(b"") as report, memory_file(spec) as given, self._limiter.keep(command, user) as keeper:
            outcome = supervise(
                # Nothing of the command's in the launcher's arguments or environment, which others may read.
                replace(command, environment=outer, keep_open=(*command.keep_open, given, report)),
                argv=(str(self._python), "-I", "-S", str(LAUNCHER), str(given), str(report)),
                keeper=keeper,
                on_stdout=on_stdout,
                on_stderr=on_stderr,
                cancelled=cancelled,
                user=user,
            )
            _check(os.pread(report, 65_536, 0), outcome)
        return outcome

    def _spec(self, command: Command) -> dict[str, object]:
        number = self._identity.number
        tcp = ruleset.ALL_TCP if command.network == "none" else 0
        return {
            "argv": tuple(command.argv),
            "environment": dict(command.environment),
            "mark": MARK,
            "parent": os.getpid(),
            "inherited": tuple(command.keep_open),
            "leases": tuple(command.leases),
            "ruleset": (ruleset.ALL_FILES, tcp, ruleset.ALL_SCOPES),
            "grants": to_builtins(ruleset.grants(command)),
            "filter": self._filters[command.network],
            "user": (number, number) if self._identity.dropped else None,
        }


def _required(identity: Identity) -> Identity:
    """The identity; raises SandboxError where this user cannot become it, or it is root."""
    if os.geteuid() != 0 and identity != Identity.here():
        raise refusal("Only root can run a command as another user: start the service as root, or name none.")
    if identity.number == 0 or identity.dropped != (os.geteuid() == 0):
        raise refusal("A contained command must not run as root: name a user that is used for nothing else.")
    return identity


def _check(said: bytes, outcome: Outcome) -> None:
    """Raises what the launcher reports; also where it ended without a word, as nothing is known then."""
    if not said:
        if outcome.stop != "exited":
            return
        words = outcome.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise refusal(f"The launcher of contained commands ended early ({outcome.code}): {''.join(words)}")
    if said == b"\n":
        return
    stage, number, what = os.fsdecode(said).split("\0")
    error = os.strerror(int(number))
    if stage == "exec":
        raise OSError(int(number), error, what)
    raise refusal(
        f"`{what}` cannot be contained ({stage}: {error}): see that it is there, and no link, or contain with "
        "bubblewrap."
    )
