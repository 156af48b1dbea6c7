"""One child process from start to the end of its last descendant. Every mechanism runs its argv through here."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from recto.sandbox.base import Command, OnLine, Outcome, Stop
from recto.sandbox.kept import Kept, Lines
from recto.sandbox.memory_kills import memory_kills
from recto.sandbox.process_tree import MARK, ProcessTree

if TYPE_CHECKING:
    from recto.sandbox.limits.keeping import Keeper

# How often `cancelled` is asked.
_TICK_SECONDS = 0.2
# What a command gets between SIGTERM and SIGKILL to remove its temporary files (Quarto does).
_GRACE_SECONDS = 2.0
# What is waited for the end of streams after the last process was killed: only one that escaped holds them longer.
_DRAIN_SECONDS = 1.0
_CHUNK_BYTES = 65_536

_Handler = Callable[[], None]


def _never() -> bool:
    return False


def supervise(
    command: Command,
    *,
    argv: tuple[str, ...] | None = None,
    keeper: Keeper | None = None,
    marked: bool = True,
    on_stdout: OnLine | None = None,
    on_stderr: OnLine | None = None,
    cancelled: Callable[[], bool] | None = None,
    user: int | None = None,
) -> Outcome:
    """How the command ended, all of its processes with it. `argv` replaces the command's own: a wrapper around it.
    Not `marked`, its environment is exactly what is given, and only descendants are found.

    `user` is the user id that the wrapper gives the command, if another than ours. Without a keeper, only time and
    output are limited.

    A time-out or a cancellation sends SIGTERM to the process group and two seconds later SIGKILL to every process;
    after an exit, or at the limit of the disk, what is there is killed at once. Raises what `subprocess.Popen` raises
    at the start, and SandboxError where a limit cannot be put in force.
    """
    started, killed = time.monotonic(), memory_kills()
    mark = os.urandom(16).hex()
    with (
        _start(argv or command.argv, command, mark if marked else None, keeper) as child,
        ExitStack() as descriptors,
    ):
        tree = ProcessTree(child.pid, mark, user)
        with ExitStack() as processes:
            # Before the child is waited for: until then its process id cannot go to somebody else.
            if keeper is None or not keeper.exact:
                processes.callback(tree.kill)
            if keeper is not None:
                processes.callback(keeper.kill)
                keeper.admit(child)
            run = descriptors.enter_context(closing(_Run(child, command, on_stdout, on_stderr)))
            stop = _watch(run, started, command.limits.wall_seconds, cancelled or _never, keeper)
            if stop in ("timed-out", "cancelled"):
                tree.terminate()
                run.pump_until(time.monotonic() + _GRACE_SECONDS)
        run.drain_until(time.monotonic() + _DRAIN_SECONDS)
        own = keeper.memory_kills if keeper else None
        return Outcome(
            code=child.wait(),
            stop=stop if keeper is None or stop != "exited" else keeper.last() or stop,
            stdout=run.stdout.content(),
            stderr=run.stderr.content(),
            seconds=time.monotonic() - started,
            # Exact where the command has a group of its own; else whoever was killed beside it counts too.
            memory_kills=_since(killed) if own is None else own,
            refused_processes=keeper.refused_processes if keeper else 0,
            tiers=keeper.tiers if keeper else {},
        )


def _since(killed: int | None) -> int:
    return 0 if killed is None else max(0, (memory_kills() or killed) - killed)


def _start(argv: tuple[str, ...], command: Command, mark: str | None, keeper: Keeper | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        keeper.waiting(argv) if keeper else argv,
        cwd=command.cwd,
        env=command.environment if mark is None else _marked(command.environment, mark),
        stdin=subprocess.PIPE if command.stdin or keeper else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=(*command.leases, *command.keep_open),
        bufsize=0,
    )


def _marked(environment: Mapping[str, str], mark: str) -> dict[str, str]:
    """The environment with our mark; an outer run's mark stays, so that it finds the processes of an inner run too."""
    outer = environment.get(MARK)
    return {**environment, MARK: f"{outer}:{mark}" if outer else mark}


def _watch(
    run: _Run, started: float, seconds_max: float | None, cancelled: Callable[[], bool], keeper: Keeper | None
) -> Stop:
    """Pumps until the child ends, time is up, somebody cancels or the keeper sees a limit exceeded."""
    deadline = float("inf") if seconds_max is None else started + seconds_max
    if cancelled():
        return "cancelled"
    while True:
        now = time.monotonic()
        if run.pump_until(min(deadline, now + _TICK_SECONDS)):
            return "exited"
        if time.monotonic() >= deadline:
            return "timed-out"
        if cancelled():
            return "cancelled"
        if keeper is not None and (stop := keeper.watch()):
            return stop


class _Run:
    """The streams and the end of one child, waited for together (pidfd_open(2), Linux 5.3)."""

    def __init__(
        self, child: subprocess.Popen[bytes], command: Command, on_stdout: OnLine | None, on_stderr: OnLine | None
    ) -> None:
        self.stdout = Kept(command.limits.output_bytes)
        self.stderr = Kept(command.limits.output_bytes)
        self._child = child
        self._ended = False
        self._unwritten = memoryview(command.stdin)
        self._selector = selectors.DefaultSelector()
        self._pidfd = os.pidfd_open(child.pid)
        self._selector.register(self._pidfd, selectors.EVENT_READ, self._note_end)
        self._readable(child.stdout, self.stdout, on_stdout)
        self._readable(child.stderr, self.stderr, on_stderr)
        if child.stdin is not None and not child.stdin.closed:
            os.set_blocking(child.stdin.fileno(), False)
            self._selector.register(child.stdin, selectors.EVENT_WRITE, self._write)

    def pump_until(self, moment: float) -> bool:
        """Moves bytes until the child has ended (True) or the moment on the monotonic clock has come (False)."""
        while not self._ended and (left := moment - time.monotonic()) > 0:
            self._turn(left)
        return self._ended

    def drain_until(self, moment: float) -> None:
        """Reads what is left in the streams, at the latest until the moment has come."""
        while self._selector.get_map() and (left := moment - time.monotonic()) > 0:
            self._turn(left)

    def close(self) -> None:
        """Gives the descriptors back; the child's streams are closed by its Popen."""
        self._selector.close()
        os.close(self._pidfd)

    def _turn(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            handler: _Handler = key.data
            handler()

    def _readable(self, stream: object, kept: Kept, on_line: OnLine | None) -> None:
        if not hasattr(stream, "fileno"):
            raise TypeError("the child has no such stream")
        descriptor: int = stream.fileno()
        lines = Lines(on_line) if on_line else None

        def read() -> None:
            chunk = os.read(descriptor, _CHUNK_BYTES)
            kept.feed(chunk)
            if lines:
                lines.feed(chunk)
            if not chunk:
                self._selector.unregister(descriptor)
                if lines:
                    lines.close()

        self._selector.register(descriptor, selectors.EVENT_READ, read)

    def _write(self) -> None:
        stdin = self._child.stdin
        assert stdin is not None
        try:
            self._unwritten = self._unwritten[os.write(stdin.fileno(), self._unwritten[:_CHUNK_BYTES]) :]
        except BrokenPipeError:
            # The child closed its input unread, which it may.
            self._unwritten = self._unwritten[:0]
        if not self._unwritten:
            self._selector.unregister(stdin)
            stdin.close()

    def _note_end(self) -> None:
        self._ended = True
        self._selector.unregister(self._pidfd)
