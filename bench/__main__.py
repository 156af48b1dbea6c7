"""`scripts/bench [ROW...] [--json] [--keep DIR]`"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from bench.house import House
from bench.machine import described
from bench.rows import ROWS, Row


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure Recto beside its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)} [all]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work there and leave it [a temporary directory]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recto-bench-") as scratch:
        house = House((arguments.keep or Path(scratch)).absolute())
        house.prepare()
        machine = described(house.app.uv)
        rows = [ROWS[name](house) for name in arguments.rows or ROWS]
        for entry in house.app.store.environments():
            house.app.store.remove(entry.key)
    print(json.dumps(as_json(machine, rows), indent=2) if arguments.json else as_text(machine, rows))


def as_json(machine: dict[str, str], rows: list[Row]) -> dict[str, object]:
    return {
        "machine": machine,
        "rows": [
            {
                "row": row.name,
                "what": row.what,
                "bar": row.bar,
                "seconds": row.ours.seconds,
                "peers": {name: sample.seconds for name, sample in row.peers.items()},
            }
            for row in rows
        ],
    }


def as_text(machine: dict[str, str], rows: list[Row]) -> str:
    lines = [", ".join(f"{name} {value}" for name, value in machine.items()), ""]
    for row in rows:
        lines += [f"{row.name}: {row.what}; bar: {row.bar}", f"    recto: {row.ours}"]
        for name, sample in row.peers.items():
            lines.append(f"    {name}: {sample}; {sample.median / row.ours.median:.2f} × recto's time")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
