"""The first cell of a render whose kernel was started in advance."""

from __future__ import annotations

from bench.commands import DOCUMENT
from bench.house import House
from bench.results import Bar, Peer, Row
from bench.timing import Sample
from recto.app import App
from recto.policy import Grant
from recto.render import RenderRequest, Report
from recto.settings import load

_FIRST_CELL_SECONDS = 0.100

# A kernel that is not ready by then would not be within ten times the bar either.
_READY_SECONDS_MAX = 60.0


def warm(house: House) -> Row:
    """Renders of one document by one process: each finds a kernel that waits, against renders that start theirs."""
    document = house.project_of("warm", tuple((house.project / "requirements.txt").read_text().split())) / "small.qmd"
    document.write_text(DOCUMENT)
    request = RenderRequest(document, formats=("html",), engine="jupyter", grant=Grant.own())
    cold = App(load(house.variables))
    ours, theirs = [], []
    with App(load({**house.variables, "RECTO_WARM_KERNELS": "1"})) as app:
        app.renders.render(request)
        for _ in range(house.times(11)):
            pool = app.kernels
            if pool is None or not pool.wait_for(lambda counts: counts.ready == 1, _READY_SECONDS_MAX):
                raise RuntimeError("no kernel waits")
            ours.append(_first_cell(app.renders.render(request), warm=True))
            # The next one starts by itself now, and must not be measured beside the render that starts its own.
            pool.wait_for(lambda counts: counts.ready == 1, _READY_SECONDS_MAX)
            theirs.append(_first_cell(cold.renders.render(request), warm=False))
    return Row(
        "warm",
        "from the start of running a document to its first cell, the kernel started in advance",
        Sample(tuple(ours)),
        {"the kernel started for the render": Peer(Sample(tuple(theirs)))},
        Bar("below", _FIRST_CELL_SECONDS),
    )


def _first_cell(report: Report, warm: bool) -> float:
    """Seconds until the first cell; raises where the render failed or its kernel was not of the wanted kind."""
    if report.status != "success" or ("kernel_age" in report.timings_ms) != warm:
        raise RuntimeError(f"expected a {'warm' if warm else 'cold'} render: {report.status}, {report.timings_ms}")
    return report.timings_ms["kernel"] / 1000
