"""Results: rows with their bars, and curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.timing import Sample, Unit, shown


@dataclass(frozen=True, slots=True)
class Bar:
    """What is demanded of a median.

    `faster`: the peer takes at least `limit` times ours. `within`: ours is at most `limit` times the peer's. `over`:
    ours is at most `limit` above the peer's. `below` and `exactly` are about ours alone.
    """

    kind: Literal["faster", "within", "over", "below", "exactly"]
    limit: float

    def figure(self, ours: float, peer: float) -> float:
        """The number that is compared with the limit."""
        match self.kind:
            case "faster":
                return peer / ours
            case "within":
                return ours / peer
            case "over":
                return ours - peer
        return ours

    def met(self, ours: float, peer: float) -> bool:
        """Whether the figure is where it should be."""
        figure = self.figure(ours, peer)
        match self.kind:
            case "faster":
                return figure >= self.limit
            case "below":
                return figure < self.limit
            case "exactly":
                return figure == self.limit
        return figure <= self.limit

    def words(self, ours: Sample, peer: Sample) -> str:
        """The bar, whether it is met, and the figure."""
        figure = self.figure(ours.median, peer.median)
        demand, found = self._words(figure, ours.unit)
        return f"{demand}: {'met' if self.met(ours.median, peer.median) else 'not met'}, {found}"

    def _words(self, figure: float, unit: Unit) -> tuple[str, str]:
        match self.kind:
            case "faster":
                return ("not slower" if self.limit == 1 else f"≥ {self.limit:g}×"), f"{figure:.2g}×"
            case "within":
                return f"≤ {self.limit:g}×", f"{figure:.3g}×"
            case "over":
                return f"≤ {shown(self.limit, unit)} more", f"{shown(figure, unit)} more"
            case "below":
                return f"< {shown(self.limit, unit)}", shown(figure, unit)
        return shown(self.limit, unit), shown(figure, unit)


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody else's sample; `bar` is what ours must be beside it, None where it is there to be seen."""

    sample: Sample
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Also:
    """Another sample of ours in the same run, with a bar of its own where there is one: beside `against`, a peer."""

    sample: Sample
    bar: Bar | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: ours, what else was seen of ours, and each peer's. `bar` is about ours alone."""

    name: str
    what: str
    ours: Sample
    peers: Mapping[str, Peer]
    bar: Bar | None = None
    also: Mapping[str, Also] = field(default_factory=dict)

    def verdicts(self) -> list[tuple[str, bool]]:
        """Each bar's words and whether it is met, in the order in which they are shown."""
        found = [] if self.bar is None else [_verdict(self.bar, self.ours, self.ours)]
        found += [_verdict(also.bar, also.sample, self.beside(also)) for also in self.also.values() if also.bar]
        return found + [_verdict(peer.bar, self.ours, peer.sample) for peer in self.peers.values() if peer.bar]

    def beside(self, also: Also) -> Sample:
        """What the bar of another sample of ours compares it with."""
        return also.sample if also.against is None else self.peers[also.against].sample


def _verdict(bar: Bar, ours: Sample, peer: Sample) -> tuple[str, bool]:
    return bar.words(ours, peer), bar.met(ours.median, peer.median)


@dataclass(frozen=True, slots=True)
class Curve:
    """How something grows: for each contender, a sample at each size of what is on the x axis."""

    name: str
    what: str
    along: str
    unit: Unit
    series: Mapping[str, Mapping[int, Sample]]
    logarithmic: bool = False


Result = Row | Curve
