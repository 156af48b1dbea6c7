"""Which advisories hold at which version of one project, by the OSV schema's rules in the order of PEP 440.

The versions that any of the advisories names cut the line of all versions into slots: the named ones, and the gaps
before, between and behind them. What an advisory covers is a number with a bit for each slot, so an event of a range
is one operation on all versions at once, and a question is one look for the slot: `tensorflow` has some 400 advisories
of 100 versions each, and its page some 5,000 files.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct
from packaging.version import Version

from recto.index.advisories.level import Level
from recto.index.advisories.record import Affected, Event, Range


class Advisory(Struct, frozen=True):
    """One advisory, by its id; unknown severity is the worst."""

    id: str
    level: Level = Level.CRITICAL


class Timeline:
    """The advisories of one project along its versions."""

    def __init__(self, told: Iterable[tuple[Advisory, Iterable[Affected]]]) -> None:
        """Of each advisory, everything that it says of this project.

        What says nothing of versions, or nothing in their order, counts for all of them; so does what begins at a
        version that cannot be read. An end that cannot be read is none.
        """
        told = [(advisory, tuple(affected)) for advisory, affected in told]
        named = {text for _, affected in told for one in affected for text in _texts(one)}
        self._points = sorted({version for text in named if (version := _version(text)) is not None})
        self._slots = {text: self._slot(version) for text in named if (version := _version(text)) is not None}
        self._everything = (1 << 2 * len(self._points) + 1) - 1
        self._covered = [(advisory, self._cover_all(affected)) for advisory, affected in told]
        self._found: dict[int, tuple[Advisory, ...]] = {}

    def at(self, version: Version) -> tuple[Advisory, ...]:
        """Those that hold for this version, the worst first. A local build is also what it is a build of."""
        slot = self._slot(version)
        if version.local is None:
            return self._at(slot)
        both = {*self._at(slot), *self._at(self._slot(Version(version.public)))}
        return tuple(sorted(both, key=_worst_first))

    def _at(self, slot: int) -> tuple[Advisory, ...]:
        found = self._found.get(slot)
        if found is None:
            held = (advisory for advisory, cover in self._covered if cover >> slot & 1)
            found = self._found[slot] = tuple(sorted(held, key=_worst_first))
        return found

    def _slot(self, version: Version) -> int:
        """Odd where a point is, even in a gap."""
        index = bisect_left(self._points, version)
        return 2 * index + (index < len(self._points) and self._points[index] == version)

    def _cover_all(self, affected: Iterable[Affected]) -> int:
        cover = 0
        for one in affected:
            cover |= self._cover(one)
        return cover

    def _cover(self, affected: Affected) -> int:
        ranges = _in_our_order(affected)
        if not ranges and not affected.versions:
            return self._everything
        cover = 0
        for text in affected.versions or ():
            if text in self._slots:
                cover |= 1 << self._slots[text]
        for line in ranges:
            cover |= self._along(line)
        return cover

    def _along(self, line: Range) -> int:
        """What a range covers. Of an end and a beginning in one slot the end comes first, which covers more."""
        steps = [step for event in line.events for step in self._steps(event)]
        if not any(event.introduced is not None for event in line.events):
            steps.append((0, True))
        cover = 0
        for slot, begins in sorted(steps):
            before = (1 << slot) - 1
            cover = cover | self._everything & ~before if begins else cover & before
        return cover & self._limit(line)

    def _steps(self, event: Event) -> Iterable[tuple[int, bool]]:
        """The slots with which a stretch that is covered begins, or the next one that is not."""
        if event.fixed in self._slots:
            yield self._slots[event.fixed], False
        if event.introduced is not None:
            # "0" is the schema's word for a version before all others, and Python has some before 0.
            unknown = event.introduced == "0" or event.introduced not in self._slots
            yield 0 if unknown else self._slots[event.introduced], True
        if event.last_affected in self._slots:
            yield self._slots[event.last_affected] + 1, False

    def _limit(self, line: Range) -> int:
        limits = [event.limit for event in line.events if event.limit is not None]
        if not limits or any(limit not in self._slots for limit in limits):  # also "*", which is none
            return self._everything
        return (1 << max(self._slots[limit] for limit in limits)) - 1


def _worst_first(advisory: Advisory) -> tuple[int, str]:
    return -advisory.level, advisory.id


def _in_our_order(affected: Affected) -> list[Range]:
    return [line for line in affected.ranges or () if line.type == "ECOSYSTEM" and line.events]


def _texts(affected: Affected) -> Iterable[str]:
    yield from affected.versions or ()
    for line in _in_our_order(affected):
        for event in line.events:
            yield from (text for text in (event.introduced, event.fixed, event.last_affected, event.limit) if text)


@lru_cache(maxsize=4096)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # also a number with thousands of digits
        return None
