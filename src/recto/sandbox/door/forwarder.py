"""Runs a command whose way to the index is 127.0.0.1:PORT, by handing each connection there on to a Unix socket.

    python -I -S forwarder.py PORT SOCKET -- COMMAND...

It is a whole program by itself: inside a sandbox there is nothing of ours to import. It ends with the command and as
the command ended, and hands signals on to it. Its modules are those that the interpreter has built in or loads in a
millisecond: `socket` and `signal` alone take as long as the interpreter does to start, for the sake of names.
"""

import _socket as socket
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

_CHUNK_BYTES = 262_144
_BACKLOG = 1024
# As shells end where a command is not there, or cannot be run.
_NOT_FOUND, _NOT_RUNNABLE, _SIGNALLED = 127, 126, 128
_USAGE = 2
_HANDED_ON = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
    signal.SIGWINCH,
)
# Python ignores these; a command should find them as they usually are.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


class _Side:
    """One socket of a pair: what is to be sent to it, and whether it has said everything."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.number = connection.fileno()
        self.other = self
        self.unsent = memoryview(b"")
        self.ended = False
        self.watched = 0

    def wanted(self) -> int:
        """What is waited for: to read where the other side has taken everything, to write where something is left."""
        reading = select.EPOLLIN if not self.ended and not self.other.unsent else 0
        return reading | (select.EPOLLOUT if self.unsent else 0)

    def read(self) -> None:
        chunk = self.connection.recv(_CHUNK_BYTES)
        self.ended = not chunk
        self.other.unsent = memoryview(chunk)
        self.other.write()

    def write(self) -> None:
        while self.unsent:
            try:
                self.unsent = self.unsent[self.connection.send(self.unsent) :]
            except BlockingIOError:
                return
        if self.other.ended:
            self.connection.shutdown(socket.SHUT_WR)


class _Forwarder:
    """Connections to a port, each handed on to the socket at `path`, until a process ends."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        self._sides: dict[int, _Side] = {}
        self._epoll = select.epoll()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(_BACKLOG)
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)

    def run_until_end_of(self, process: int) -> None:
        ended = os.pidfd_open(process)
        self._epoll.register(ended, select.EPOLLIN)
        while True:
            for number, _ in self._epoll.poll():
                if number == ended:
                    return
                if number == self._listener.fileno():
                    self._accept()
                elif number in self._sides:
                    self._move(self._sides[number])

    def _accept(self) -> None:
        while True:
            try:
                descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError:
                # Whoever called has gone, or there are no descriptors left: those that wait are called again.
                return
            inner = _Side(socket.socket(fileno=descriptor))
            inner.connection.setblocking(False)
            outside = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            try:
                outside.connect(self._path)
            except OSError:
                # Nobody is behind the door: whoever called sees its connection closed.
                outside.close()
                inner.connection.close()
                continue
            inner.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            outer = _Side(outside)
            inner.other, outer.other = outer, inner
            for side in (inner, outer):
                self._sides[side.number] = side
            self._watch(inner)
            self._watch(outer)

    def _move(self, side: _Side) -> None:
        try:
            if side.unsent:
                side.write()
            if not side.ended and not side.other.unsent:
                side.read()
        except BlockingIOError:
            pass
        except OSError:
            self._drop(side)
            return
        if side.ended and side.other.ended and not side.unsent and not side.other.unsent:
            self._drop(side)
            return
        self._watch(side)
        self._watch(side.other)

    def _watch(self, side: _Side) -> None:
        # What nothing is waited for is not watched at all: the kernel would tell of its hang-up over and over.
        wanted = side.wanted()
        if wanted and side.watched:
            self._epoll.modify(side.number, wanted)
        elif wanted:
            self._epoll.register(side.number, wanted)
        elif side.watched:
            self._epoll.unregister(side.number)
        side.watched = wanted

    def _drop(self, side: _Side) -> None:
        for one in (side, side.other):
            del self._sides[one.number]
            one.connection.close()


def _started(argv: list[str], mask: set[int]) -> int:
    """The process of the command, in a group of its own, so that each signal reaches it once."""
    try:
        return os.posix_spawnp(argv[0], argv, os.environ, setpgroup=0, setsigmask=mask, setsigdef=_IGNORED_BY_PYTHON)
    except OSError as error:
        sys.stderr.write(f"`{argv[0]}` cannot be run: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE)


def _end_as(status: int) -> None:
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))
    os.kill(os.getpid(), number)
    # The first process of a namespace does not die of its own signals.
    os._exit(_SIGNALLED + number)


def main(words: list[str]) -> None:
    """Runs the command of these words, and ends as it ends."""
    if len(words) < 4 or words[2] != "--" or not words[0].isdecimal():
        sys.stderr.write("usage: forwarder.py PORT SOCKET -- COMMAND...\n")
        raise SystemExit(_USAGE)
    forwarder = _Forwarder(int(words[0]), words[1])
    # From here until the command is there to have them, signals wait.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
    process = _started(words[3:], mask)

    def hand_on(number: int, _: object) -> None:
        try:
            os.killpg(process, number)
        except ProcessLookupError:
            # It has just ended, as we are about to.
            return

    for number in _HANDED_ON:
        signal.signal(number, hand_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    forwarder.run_until_end_of(process)
    _end_as(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    main(sys.argv[1:])
