"""Results for people, for pages and for programs; a run that was kept as JSON reads back as the same results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench.results import Also, Bar, Curve, Peer, Result, Row
from bench.timing import Sample, shown


@dataclass(frozen=True, slots=True)
class Run:
    """Results of one run, the day it was made (ISO 8601), and the machine."""

    date: str
    machine: Mapping[str, str]
    results: tuple[Result, ...]

    @property
    def about(self) -> str:
        """The machine in one line."""
        return ", ".join(f"{name} {value}" for name, value in self.machine.items())

    def rows(self) -> Iterable[Row]:
        return (result for result in self.results if isinstance(result, Row))

    def curves(self) -> Iterable[Curve]:
        return (result for result in self.results if isinstance(result, Curve))


def to_json(run: Run) -> dict[str, object]:
    """Everything, each repetition included, and what each bar says of it."""
    return {
        "date": run.date,
        "machine": dict(run.machine),
        "rows": [{**asdict(row), "bars": [_bar_json(*verdict) for verdict in row.verdicts()]} for row in run.rows()],
        "curves": [asdict(curve) for curve in run.curves()],
    }


def _bar_json(words: str, met: bool) -> dict[str, object]:
    return {"words": words, "met": met}


def from_json(value: Mapping[str, Any]) -> Run:
    """The run that `to_json` wrote."""
    rows = [_row(entry) for entry in value["rows"]]
    curves = [_curve(entry) for entry in value["curves"]]
    return Run(value["date"], value["machine"], (*rows, *curves))


def _row(entry: Mapping[str, Any]) -> Row:
    return Row(
        name=entry["name"],
        what=entry["what"],
        ours=_sample(entry["ours"]),
        peers={name: Peer(_sample(peer["sample"]), _bar(peer["bar"])) for name, peer in entry["peers"].items()},
        bar=_bar(entry["bar"]),
        also={
            name: Also(_sample(also["sample"]), _bar(also["bar"]), also.get("against"))
            for name, also in entry["also"].items()
        },
    )


def _curve(entry: Mapping[str, Any]) -> Curve:
    series = {
        name: {int(size): _sample(sample) for size, sample in samples.items()}
        for name, samples in entry["series"].items()
    }
    return Curve(entry["name"], entry["what"], entry["along"], entry["unit"], series, entry["logarithmic"])


def _sample(value: Mapping[str, Any]) -> Sample:
    return Sample(tuple(value["values"]), value["unit"])


def _bar(value: Mapping[str, Any] | None) -> Bar | None:
    return None if value is None else Bar(**value)


def as_text(run: Run) -> str:
    """For a terminal."""
    lines = [f"{run.date}: {run.about}"]
    for row in run.rows():
        lines += ["", f"{row.name}: {row.what}", f"    recto: {row.ours}{_after(row.bar, row.ours, row.ours)}"]
        lines += [
            f"    {name}: {also.sample}{_after(also.bar, also.sample, row.beside(also))}"
            for name, also in row.also.items()
        ]
        lines += [
            f"    {name}: {peer.sample}{_after(peer.bar, row.ours, peer.sample)}" for name, peer in row.peers.items()
        ]
    for curve in run.curves():
        lines += ["", f"{curve.name}: {curve.what}, against {curve.along}"]
        lines += [f"    {line}" for line in _table(curve)]
    return "\n".join(lines)


def _after(bar: Bar | None, ours: Sample, peer: Sample) -> str:
    return "" if bar is None else f"; {bar.words(ours, peer)}"


def as_markdown(run: Run) -> str:
    """The tables of docs/performance.md."""
    lines = [f"Measured on {run.date}: {run.about}. Medians, with the least and the most in brackets.", ""]
    lines += ["| what | | median (least–most) | bar |", "| --- | --- | --- | --- |"]
    for row in run.rows():
        lines.append(_cells(row.what, "**Recto**", row.ours, row.bar, row.ours, row.ours))
        for name, also in row.also.items():
            lines.append(_cells("", name, also.sample, also.bar, also.sample, row.beside(also)))
        for name, peer in row.peers.items():
            lines.append(_cells("", name, peer.sample, peer.bar, row.ours, peer.sample))
    for curve in run.curves():
        sizes = _sizes(curve)
        lines += ["", f"{curve.what}, against {curve.along}:", ""]
        lines += ["| | " + " | ".join(f"{size:,}" for size in sizes) + " |", "| --- " * (len(sizes) + 1) + "|"]
        lines += ["| " + " | ".join(cells) + " |" for cells in _rows(curve)]
    return "\n".join(lines)


def _cells(what: str, name: str, sample: Sample, bar: Bar | None, ours: Sample, peer: Sample) -> str:
    return f"| {what} | {name} | {sample} | {'' if bar is None else bar.words(ours, peer)} |"


def _sizes(curve: Curve) -> list[int]:
    return sorted({size for samples in curve.series.values() for size in samples})


def _rows(curve: Curve) -> list[list[str]]:
    return [
        [name, *(shown(samples[size].median, curve.unit) if size in samples else "" for size in _sizes(curve))]
        for name, samples in curve.series.items()
    ]


def _table(curve: Curve) -> list[str]:
    rows = [["", *(f"{size:,}" for size in _sizes(curve))], *_rows(curve)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
