"""`scripts/bench [ROW...]`"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import builds, commands, crowds, disk, doors, flights, gateways, packages, pictures, warm
from bench.house import House, gone
from bench.machine import described
from bench.output import Run, as_markdown, as_text, from_json, to_json
from bench.results import Result

ROWS: dict[str, Callable[[House], Result | list[Result]]] = {
    "hit": crowds.hit,
    "run": commands.run,
    "new": builds.new,
    "again": builds.again,
    "cold": builds.cold,
    "hundred": disk.hundred,
    "crowd": flights.crowd,
    "sandbox": commands.sandbox,
    "render": commands.render,
    "warm": warm.warm,
    "evict": crowds.evict,
    "hits": crowds.hits,
    "evictions": crowds.evictions,
    "packages": packages.packages,
    "door": doors.door,
    "gateway": gateways.gateway,
}

# Left out where no row is named: each downloads gigabytes.
LARGE = ("cold", "hundred", "door", "gateway")


def main() -> None:
    parser = _parser()
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.rows if name not in ROWS]:
        parser.error(f"there is no row `{unknown[0]}`")
    scratch = arguments.keep or Path(tempfile.mkdtemp(prefix="recto-bench-"))
    house = House(scratch.absolute(), arguments.repeat, arguments.count)
    try:
        run = _read(arguments.read) if arguments.read else _measured(house, arguments.rows or _usual())
        print(_printed(run, arguments))
        if arguments.plots:
            pictures.draw(run, arguments.plots, house)
    finally:
        if not arguments.keep:
            gone(scratch)


def _usual() -> list[str]:
    return [name for name in ROWS if name not in LARGE]


def _read(path: Path) -> Run:
    return from_json(json.loads(path.read_text(encoding="utf-8")))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure Recto beside its peers.")
    names = f"of {', '.join(ROWS)} [all but {' and '.join(LARGE)}, which download gigabytes]"
    parser.add_argument("rows", nargs="*", metavar="ROW", help=names)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, with every repetition")
    form.add_argument("--markdown", action="store_true", help="print the tables of docs/performance.md")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work there and leave it [a temporary directory]")
    parser.add_argument("--repeat", type=_positive, metavar="N", help="at most so many repetitions [each row's own]")
    parser.add_argument(
        "--count", type=_positive, metavar="N", help="environments of `hit`, `evict`, their curves and `hundred`"
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw each curve of the run as SVG there")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing; take the JSON of an earlier run")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("expected a whole number above 0")
    return int(text)


def _measured(house: House, names: list[str]) -> Run:
    """The results of the named rows, which stand on standard error as they come."""
    _say("preparing: the base, and every wheel once")
    house.prepare()
    machine = described(house.app.uv, house.app.base_python, house.root)
    date = datetime.now(UTC).date().isoformat()
    results: list[Result] = []
    for name in names:
        _say(f"measuring: {name}")
        found = ROWS[name](house)
        fresh = found if isinstance(found, list) else [found]
        _say(as_text(Run(date, {}, tuple(fresh))))
        results += fresh
    return Run(date, machine, tuple(results))


def _printed(run: Run, arguments: argparse.Namespace) -> str:
    if arguments.json:
        return json.dumps(to_json(run), indent=1)
    return as_markdown(run) if arguments.markdown else as_text(run)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
