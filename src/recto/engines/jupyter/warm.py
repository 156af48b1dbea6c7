"""A runner that is started in advance, and its one use.

It is an ordinary run of the sandbox, with the mounts, environment and leases of a cold one, on a thread of its own.
Its line is a socket pair, of which it inherits one end: nothing has to be opened, mounted or found later, and when
this process ends, in whatever way, the other end closes and the runner ends itself.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from recto.engines.base import Job
from recto.engines.jupyter.workplace import ENTERED, Workplace
from recto.problems import RectoError
from recto.sandbox.base import OnLine, Outcome, Sandbox, Stop
from recto.sandbox.temporary import temporary

# Lines that wait for the render's thread; more make the runner wait, so that a flood of them stays in its pipe.
_LINES_MAX = 1000
# How often the render is asked whether it was cancelled, as the sandbox does.
_TICK_SECONDS = 0.2
# pid, uid and gid of whoever sends (unix(7), SCM_CREDENTIALS).
_CREDENTIALS = struct.Struct("3i")


class Key(Struct, frozen=True):
    """All that a runner is started with, so that one that waits can stand in for one that would be started now.

    `place` is the device and inode of the project's directory: one that took its place is another project.
    """

    python: Path
    prefix: Path
    project: Path
    place: tuple[int, int]
    environment: frozenset[tuple[str, str]]
    seconds_max: float

    @classmethod
    def of(cls, job: Job) -> Key:
        """The key of a job; OSError where its project is gone."""
        status = job.project.stat()
        place = (status.st_dev, status.st_ino)
        environment = frozenset(job.environment.items())
        return cls(job.python, job.prefix, job.project, place, environment, job.seconds_max)


def _nothing(runner: WarmRunner) -> None:
    """Whoever has one runner needs no word of it."""


class Kernels(Protocol):
    """Kernels that were started in advance, as an engine sees them."""

    def take(self, job: Job) -> WarmRunner | None:
        """One for a job like this, which is the caller's from now on, to use and to leave; or None."""
        ...

    def replenish(self, job: Job) -> None:
        """Told when the job's cells have run, and may be run again."""
        ...


class WarmRunner:
    """One started runner. Whoever sets `taken` uses it once, as a context manager, and nobody else ends it then."""

    def __init__(self, job: Job, seconds_max: float, started: float) -> None:
        self.key = Key.of(job)
        self.started = started
        self.taken = False
        # How long it had waited when it was taken.
        self.waited_seconds = 0.0
        # The process id of the runner, once its kernel is ready. The operating system says so, not the runner.
        self.leader: int | None = None
        # Why it could not be started.
        self.failure: OSError | RectoError | None = None
        # Whether cells have run in it.
        self.entered = False
        self._outcome: Outcome | None = None
        self._unwanted = threading.Event()
        self._begun = threading.Event()
        self._lines: Queue[bytes | None] = Queue(_LINES_MAX)
        self._finished = False
        self._thread: threading.Thread | None = None
        with ExitStack() as held:
            self._line, far = socket.socketpair()
            held.callback(self._line.close)
            held.callback(far.close)
            self._line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            leases = tuple(_held(held, descriptor) for descriptor in job.keep_open)
            self.workplace = Workplace.make(held.enter_context(temporary()))
            self._command = self.workplace.command(job, seconds_max, far.fileno(), leases)
            self._held = held.pop_all()

    def start(
        self,
        sandbox: Sandbox,
        tick: Callable[[WarmRunner], None] = _nothing,
        over: Callable[[WarmRunner], None] = _nothing,
        after: Iterable[WarmRunner] = (),
    ) -> None:
        """Starts it on a thread of its own, once those in `after` have ended. RuntimeError where no thread can be.

        `tick` is called on that thread a few times a second; `over` once, when no process of it is left: unless it is
        taken then, it has to be discarded.
        """

        def live() -> None:
            try:
                for other in after:
                    other.join()
                self._run(sandbox, tick)
            finally:
                self._begun.set()
                over(self)
                self._lines.put(None)

        # A daemon: a process that ends without closing its pool must not wait for the age of a runner.
        thread = threading.Thread(target=live, name="recto-warm-kernel", daemon=True)
        thread.start()
        self._thread = thread

    def begin(self, seconds_max: float) -> None:
        """Waits until its process runs or cannot be started, at most so long: what this thread does slows its start."""
        self._begun.wait(seconds_max)

    def serve(self, request: Mapping[str, object], on_line: OnLine, stop: Callable[[], Stop | None]) -> Outcome | None:
        """How the cells' run ended, as from the sandbox; None where no cell has run and none will: a miss.

        `stop` is asked a few times a second on this thread; what it says ends the run.
        """
        self.workplace.put(request)
        with suppress(BrokenPipeError, ConnectionResetError):
            self._line.send(b"1")
        reason: Stop | None = None
        while (line := self._next()) is not None:
            if line:
                on_line(line)
            if reason is None and (reason := stop()):
                self.give_up()
        if reason is None:
            return self._outcome if self.entered else None
        return None if self._outcome is None else replace(self._outcome, stop=reason)

    def give_up(self) -> None:
        """Ends it soon; returns at once. A runner that waits ends by itself when its line does."""
        self._unwanted.set()
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def fits(self, job: Job) -> bool:
        """Whether it can stand in for a runner of this job."""
        try:
            return Key.of(job) == self.key
        except OSError:
            return False

    @property
    def ending(self) -> bool:
        """Whether it was given up."""
        return self._unwanted.is_set()

    def join(self) -> None:
        """Waits until no process of it is left."""
        if self._thread is not None:
            self._thread.join()

    def discard(self) -> None:
        """Gives back what it holds, for one that was never started or whose use is over."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_up()
        while not self._finished:
            self._next()
        self.join()
        self.discard()

    def _run(self, sandbox: Sandbox, tick: Callable[[WarmRunner], None]) -> None:
        def unwanted() -> bool:
            self._begun.set()
            if self.leader is None:
                self.leader = self._sender()
            tick(self)
            return self.ending

        if self.ending:
            return
        try:
            self._outcome = sandbox.run(self._command, on_stdout=self._hear, cancelled=unwanted)
        except (OSError, RectoError) as error:
            # Whoever takes it starts a cold one, and is told why that cannot be started either.
            self.failure = error

    def _hear(self, line: bytes) -> None:
        self.entered = self.entered or line == ENTERED
        if self.taken:
            self._lines.put(line)

    def _next(self) -> bytes | None:
        """The next line; an empty one where none came for a while, None after the last."""
        try:
            line = self._lines.get(timeout=_TICK_SECONDS)
        except Empty:
            return b""
        self._finished = line is None
        return line

    def _sender(self) -> int | None:
        """The process id of the runner, in our own namespace, if it has said that it is ready."""
        try:
            said, ancillary, *_ = self._line.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size), socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionResetError):
            return None
        found = [data for _, kind, data in ancillary if kind == socket.SCM_CREDENTIALS]
        return int(_CREDENTIALS.unpack(found[0])[0]) if said and found else None


def _held(held: ExitStack, descriptor: int) -> int:
    """A descriptor of our own on the same hold."""
    own = os.dup(descriptor)
    held.callback(os.close, own)
    return own
