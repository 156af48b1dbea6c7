"""`recto render`: a document with its project's packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recto.app import App
from recto.cli.console import Console
from recto.cli.waiting import progress
from recto.problems import Cancelled, RectoError, problem, size

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from recto.engines.base import Status
    from recto.problems import Problem
    from recto.render import Report

_ORIGINS = {
    "cached": "Environment {key} was ready",
    "built": "Environment {key} was built",
    "base": "Rendered with the packages of the base",
    "last-good": "Rendered with the last good environment, {key}",
}
EXIT_CODES = {"success": 0, "failure": 1, "timedout": 1, "terminated": 130}


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the paths of the outputs; everything else is talk."""
    try:
        report = _rendered(arguments, console)
    except Cancelled:
        raise
    except RectoError as error:
        report = _report("failure", error.problems, error.raw)
    except KeyboardInterrupt:
        if not arguments.json:
            raise
        report = _report("terminated", (problem("cancelled"),))
    from recto.cli.logs import keep_log

    if arguments.json:
        console.json(to_json(report))
    console.problems(report.problems)
    keep_log(report.problems, report.log, console)
    if not arguments.json:
        _say(report, console)
    return EXIT_CODES[report.status]


def _report(status: Status, problems: Sequence[Problem], log: str = "") -> Report:
    from recto.render import Report

    return Report(status, problems=tuple(problems), log=log)


def _rendered(arguments: argparse.Namespace, console: Console) -> Report:
    app = _app(arguments.sandbox)
    with app.head_start(arguments.path) as ahead:
        # Imported while the kernel starts.
        from recto.render import RenderRequest

        request = RenderRequest(
            document=arguments.path,
            formats=tuple(arguments.to),
            engine=arguments.engine,
            output_dir=arguments.output_dir,
            grant=app.grant,
            retry=arguments.retry,
        )
        with progress(console) as show:
            report = app.renders.render(request, show)
        ahead.keep(report)
    return report


def _app(sandbox: str | None) -> App:
    """The application as the settings have it, with another sandbox where one is named."""
    if sandbox is None:
        return App()
    from msgspec.structs import replace

    from recto.settings import load

    return App(replace(load(), sandbox=sandbox))


def _say(report: Report, console: Console) -> None:
    environment = report.environment
    if environment is not None:
        key = "" if environment.key is None else environment.key.digest[:12]
        seconds = report.timings_ms.get("total", 0) / 1000
        origin = _ORIGINS["base" if environment.key is None else environment.origin].format(key=key)
        console.say(f"{origin}; {report.engine}, {seconds:.1f} s in all.")
    if report.containment is not None and report.containment.mechanism != "none":
        console.say(f"Contained by {report.containment.words}.")
    for output in report.outputs:
        console.say(f"Wrote {size(output.bytes)}:")
        console.data(str(output.path))


def to_json(report: Report) -> dict[str, object]:
    """The object of `render --json`."""
    environment, contained = report.environment, report.containment
    return {
        "status": report.status,
        "engine": report.engine,
        "environment": None
        if environment is None
        else {
            "key": None if environment.key is None else environment.key.digest,
            "state": environment.origin,
            "python": str(environment.python),
        },
        "sandbox": None if contained is None else {"mechanism": contained.mechanism, "limits": dict(contained.limits)},
        "outputs": [{"path": str(output.path), "bytes": output.bytes} for output in report.outputs],
        "timings": dict(report.timings_ms),
        "problems": [problem.to_json() for problem in report.problems],
    }
