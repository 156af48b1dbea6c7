"""No sandbox: runs a command as it is, for one's own machine and one's own documents."""

from __future__ import annotations

from collections.abc import Callable

from recto.sandbox.base import Command, OnLine, Outcome
from recto.sandbox.supervise import supervise


class NoSandbox:
    """Runs a command with exactly its environment, time limit and descriptors, and ends all of its processes.

    It contains nothing else: the command sees every file and every network that this user sees, `read_only`,
    `writable` and `network` are not enforced, and memory, processes and disk are not limited. A hostile command can
    also escape the ending (drop its environment, leave the session, lose its parent), or kill us: same user.
    """

    name = "none"

    def run(
        self,
        command: Command,
        *,
        on_stdout: OnLine | None = None,
        on_stderr: OnLine | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Outcome:
        """As the port says; the child's environment also holds `RECTO_RUN`, by which its processes are found."""
        return supervise(command, on_stdout=on_stdout, on_stderr=on_stderr, cancelled=cancelled)
