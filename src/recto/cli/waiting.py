"""What a person sees while they wait: a bar where they watch, a line for each step where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from recto.cli.console import Console
from recto.problems import size
from recto.progress import Event, Progress

# Verbs for a person, in the order in which they happen.
STEPS = {
    "resolving": "Resolving",
    "downloading": "Downloading",
    "installing": "Installing",
    "proving": "Proving",
    "executing": "Executing",
    "rendering": "Rendering",
    "finishing": "Finishing",
    "ready": "Ready",
    "failed": "Failed",
}


def in_words(event: Event) -> str:
    """One event in one line: `Downloading: polars (12 MB of 40 MB)`."""
    step = STEPS[event.event]
    text = f"{step}: {event.message}" if event.message else step
    if event.event == "finishing":
        text += "; a second Ctrl-C ends it"
    return f"{text} ({_amount(event)})" if event.total else text


def _amount(event: Event) -> str:
    if event.unit == "bytes":
        return size(event.total) if event.done == 0 else f"{size(event.done)} of {size(event.total)}"
    return f"{event.done} of {event.total} {event.unit}".rstrip()


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """A place for events to go while the block runs."""
    if console.watched:
        with _bar(console) as show:
            yield show
    else:
        yield _lines(console)


def _lines(console: Console) -> Progress:
    said: set[tuple[str, str]] = set()

    def show(event: Event) -> None:
        # A line for each cell would bury a log: each step is said once, and again where it has something to say.
        step = (event.event, event.message)
        begun = any(event.event == earlier for earlier, _ in said)
        if step not in said and (event.message or not begun):
            said.add(step)
            console.say(in_words(event))

    return show


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    with ExitStack() as opened:
        draw: Progress | None = None

        def show(event: Event) -> None:
            # Only now: what is ready is not waited for, and rich takes longer to import than a hit takes.
            nonlocal draw
            if draw is None:
                draw = opened.enter_context(_drawn(console))
            draw(event)

        yield show


@contextmanager
def _drawn(console: Console) -> Iterator[Progress]:
    from rich.console import Console as Terminal
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    terminal = Terminal(file=console.err, no_color=not console.colour)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    with Bars(*columns, console=terminal, transient=True) as bars:
        task = bars.add_task("Starting", total=None)
        step: tuple[str, str] | None = None

        def show(event: Event) -> None:
            nonlocal step
            if event.event == "finishing":
                # Stays above the bar: whoever pressed Ctrl-C has to see why it goes on.
                terminal.print(in_words(event), markup=False, highlight=False)
                return
            if (event.event, event.message) != step:
                # A bar that was full stops its clock, and the next step's would stand still.
                bars.reset(task)
                step = (event.event, event.message)
            bars.update(task, description=in_words(event), total=event.total or None, completed=event.done)

        yield show
