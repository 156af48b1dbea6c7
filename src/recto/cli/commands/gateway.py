"""`recto gateway`: the one door to the packages, for builds and for any installer."""

from __future__ import annotations

import argparse
import errno
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from recto.app import App
from recto.cli.console import Console
from recto.problems import SettingsError, problem

_BACKLOG = 2048


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Serves until it is told to stop."""
    from recto.index.serving import serve

    app = App()
    options, rules = app.gateway_options, app.gateway_rules
    with _listening(arguments) as (listening, address):
        indexes = ", then ".join(upstream.name for upstream in options.upstreams)
        console.say(f"Serving packages of {indexes} at {address}; end with Ctrl-C.")
        try:
            serve(options, rules, app.audit, listening, lambda found: console.problems((found,)))
        finally:
            app.audit.close()
    return 0


@contextmanager
def _listening(arguments: argparse.Namespace) -> Iterator[tuple[socket.socket, str]]:
    """The socket that was asked for and the address of the index at it; raises SettingsError."""
    host, place = arguments.host, str(arguments.socket or f"{arguments.host}:{arguments.port}")
    with ExitStack() as stack:
        try:
            opening = _internet(host, arguments.port) if arguments.socket is None else _unix(arguments.socket)
            listening = stack.enter_context(opening)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError(problem("gateway-address", address=place, reason=reason)) from error
        if arguments.socket is None:
            place = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/simple/"
        yield listening, place


def _internet(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


@contextmanager
def _unix(path: Path) -> Iterator[socket.socket]:
    """A socket's file, in the place of one that nobody listens at any more."""
    _clear(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        try:
            listening.listen(_BACKLOG)
            yield listening
        finally:
            path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as asking:
            # Who may not ask it cannot know that nobody listens.
            if asking.connect_ex(str(path)) == errno.ECONNREFUSED:
                path.unlink()
