"""What a person sees while they wait: lines where nobody watches, a bar on a terminal."""

from __future__ import annotations

import io
import os
import pty

from recto.cli.console import Console
from recto.cli.waiting import in_words, progress
from recto.progress import Event

STORY = (
    Event("resolving", "looking for versions"),
    Event("downloading", "", 0, 40_000_000, "bytes"),
    Event("downloading", "polars", 12_000_000, 40_000_000, "bytes"),
    Event("downloading", "polars", 30_000_000, 40_000_000, "bytes"),
    Event("executing", "", 0, 3, "cells"),
    Event("executing", "", 1, 3, "cells"),
    Event("executing", "", 3, 3, "cells"),
    Event("ready", "the environment is ready"),
)


def test_without_a_terminal_each_step_is_said_once() -> None:
    said = io.StringIO()
    with progress(Console(io.StringIO(), said)) as show:
        for event in STORY:
            show(event)
    assert said.getvalue().splitlines() == [
        "Resolving: looking for versions",
        "Downloading (40 MB)",
        "Downloading: polars (12 MB of 40 MB)",
        "Executing (0 of 3 cells)",
        "Ready: the environment is ready",
    ]


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        console = Console(io.StringIO(), terminal)
        assert console.watched
        with progress(console) as show:
            for event in STORY:
                show(event)
        terminal.flush()
        drawn = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert "the environment is ready" in drawn
    assert drawn.endswith("\x1b[2K")


def test_whoever_stops_a_build_that_others_wait_for_reads_why_it_goes_on() -> None:
    said = io.StringIO()
    with progress(Console(io.StringIO(), said)) as show:
        show(Event("finishing", "others wait for the same packages"))
    assert said.getvalue() == "Finishing: others wait for the same packages; a second Ctrl-C ends it\n"


def test_on_a_terminal_the_reason_stays_above_the_bar() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        with progress(Console(io.StringIO(), terminal)) as show:
            show(Event("downloading", "polars", 12_000_000, 40_000_000, "bytes"))
            show(Event("finishing", "others wait for the same packages"))
        terminal.flush()
        drawn = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert "Finishing: others wait for the same packages; a second Ctrl-C ends it\r\n" in drawn


def test_whoever_need_not_wait_sees_no_bar() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        with progress(Console(io.StringIO(), terminal)):
            pass
        terminal.write("done")
        terminal.flush()
        assert os.read(ours, 1_000_000) == b"done"
    os.close(ours)


def test_amounts_have_units() -> None:
    assert in_words(Event("installing", "", 3, 16, "packages")) == "Installing (3 of 16 packages)"
    assert in_words(Event("downloading", "polars", 1_500_000, 3_000_000, "bytes")) == (
        "Downloading: polars (1.5 MB of 3 MB)"
    )
    assert in_words(Event("proving")) == "Proving"
