"""The reading side of the log."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from recto.index.audit.entry import LINE_BYTES_MAX, Entry
from recto.index.audit.files import CURRENT, LOCK, Aside, put_aside
from recto.index.audit.holds import SHARED, held
from recto.problems import StoreError, problem

# By how much the clock may have been set back between an entry and the time in the name of its file.
_CLOCK_SLACK = timedelta(hours=1)

_WAIT_SECONDS = 10.0


class Selection(Struct, frozen=True):
    """Which entries are wanted; `since` and `until` are aware and meet `since <= when < until`. None wants all."""

    since: datetime | None = None
    until: datetime | None = None
    package: str | None = None
    subject: str | None = None
    verdict: str | None = None
    rule: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether this entry is wanted."""
        return (
            (self.since is None or entry.when >= self.since)
            and (self.until is None or entry.when < self.until)
            and self.package in (None, entry.package)
            and self.subject in (None, entry.subject)
            and self.verdict in (None, entry.verdict)
            and self.rule in (None, entry.rule)
        )


class Foreign(Struct, frozen=True):
    """Something in the log that is no entry of it. `line` counts from 1; None for a file that ends too early."""

    file: str
    line: int | None
    reason: str


def entries(
    directory: Path, selection: Selection | None = None, foreign: Callable[[Foreign], None] | None = None
) -> Iterator[Entry]:
    """The entries that are wanted, oldest first, of a moment: what is written meanwhile may be missing.

    One line is in memory at a time. `foreign` is told what was left out; the beginning of a line at the end of the
    current file is not: its writer may be at it. Raises StoreError (`audit-unreadable`) where a file cannot be read.
    """
    wanted = selection or Selection()
    try:
        yield from filter(wanted.takes, _all(directory, wanted.since, foreign or (lambda _: None)))
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(problem("audit-unreadable", path=directory, reason=reason)) from error


def _all(directory: Path, since: datetime | None, foreign: Callable[[Foreign], None]) -> Iterator[Entry]:
    with ExitStack() as stack:
        with ExitStack() as listing:
            # Without it a file could be put aside between the two looks, and be missed or read twice. Absent in a copy.
            with suppress(FileNotFoundError):
                listing.enter_context(held(directory / LOCK, SHARED, _WAIT_SECONDS, os.O_RDONLY))
            try:
                files = put_aside(directory)
            except FileNotFoundError:
                return
            current = _opened(directory / CURRENT)
        if current is not None:
            stack.enter_context(current)
        for file in files:
            if since is None or file.at >= since - _CLOCK_SLACK:
                yield from _of_file(file, foreign)
        if current is not None:
            yield from _of_lines(current, CURRENT, foreign, growing=True)


def _opened(path: Path) -> BinaryIO | None:
    try:
        # Not to wait where a named pipe lies.
        return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOFOLLOW))
    except FileNotFoundError:
        return None


def _of_file(file: Aside, foreign: Callable[[Foreign], None]) -> Iterator[Entry]:
    # The plain one first: while it is there it is whole, and it is deleted after the other is.
    plain = _opened(file.plain)
    if plain is not None:
        with plain:
            yield from _of_lines(plain, file.plain.name, foreign)
        return
    zipped = _opened(file.zipped)
    # Else deleted meanwhile, for its age.
    if zipped is not None:
        with zipped, gzip.GzipFile(fileobj=zipped) as lines:
            try:
                yield from _of_lines(lines, file.zipped.name, foreign)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                foreign(Foreign(file.zipped.name, None, str(error)))


def _of_lines(
    lines: BinaryIO | gzip.GzipFile, name: str, foreign: Callable[[Foreign], None], growing: bool = False
) -> Iterator[Entry]:
    number = 0
    while data := lines.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(data) > LINE_BYTES_MAX:
            while data and not data.endswith(b"\n"):
                data = lines.readline(LINE_BYTES_MAX)
            foreign(Foreign(name, number, "it is longer than any entry"))
        elif not data.endswith(b"\n"):
            if not growing:
                foreign(Foreign(name, number, "it is cut short"))
        else:
            try:
                entry = msgspec.json.decode(data, type=Entry)
            except (ValueError, RecursionError) as error:
                foreign(Foreign(name, number, str(error)))
            else:
                yield entry
